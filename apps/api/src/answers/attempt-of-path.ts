import { invalidParameters, Problem } from '@offload/http';
import { jobId } from '@offload/jobs';
import type { Request } from 'express';
import { z } from 'zod';

/** The path's part of the calls about an attempt. */
export const attemptParameters = z.object({ id: jobId, attempt: z.coerce.number<string>().pipe(z.int32().min(1)) });

/** @throws Problem 400 where the path names no attempt */
export function attemptOf(request: Request): z.output<typeof attemptParameters> {
  const parsed = attemptParameters.safeParse(request.params);
  if (!parsed.success) throw invalidParameters(parsed.error);
  return parsed.data;
}

/** 409: another attempt holds the job by now, or none, or there is no such job. */
export function fenced({ id, attempt }: z.output<typeof attemptParameters>): Problem {
  return new Problem(409, 'fenced', 'The attempt is over', `Attempt ${attempt} does not hold job ${id} any more`);
}
