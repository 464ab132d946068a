import { jobId } from '@offload/jobs';
import { invalidParameters, Problem } from '@offload/http';
import type { Request } from 'express';
import { z } from 'zod';

const parameters = z.object({ id: jobId });

/**
 * Reads the job id from the path.
 *
 * @throws Problem 400 when it is no UUID
 */
export function jobIdOf(request: Request): string {
  const parsed = parameters.safeParse(request.params);
  if (!parsed.success) throw invalidParameters(parsed.error);
  return parsed.data.id;
}

export function jobNotFound(id: string): Problem {
  return new Problem(404, 'job-not-found', 'Job not found', `There is no job ${id}`);
}
