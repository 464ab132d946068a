import { openDatabase } from '@offload/database';
import { registrationOf } from '@offload/jobs/definitions';
import { startProcess } from '@offload/process';
import { processVariables } from '@offload/process/config';
import { z } from 'zod';
import { SchemaConflictError } from './registration.ts';
import type { RunnableType } from './runnable-type.ts';

/**
 * Registers the job types without running them, so that apis accept their jobs before the first worker runs. Reads
 * DATABASE_URL from the environment. A fault ends the process.
 */
export async function registerTypes(handlers: readonly RunnableType[]): Promise<void> {
  const { config, log, shutdown } = startProcess('worker', z.object(processVariables), 1_000);
  const database = openDatabase({ url: config.DATABASE_URL, poolSize: 1, onUnusable: shutdown.fail });
  const registrations = handlers.map(({ definition }) => registrationOf(definition));
  const registered = await database.jobTypes.register(registrations, null);
  if (registered.kind === 'conflict') throw new SchemaConflictError(registered.conflicts);
  log.info({ types: registrations.map(({ type }) => type) }, 'job types registered');
  await database.close();
}
