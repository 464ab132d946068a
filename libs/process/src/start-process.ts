import { hostname } from 'node:os';
import type { z } from 'zod';
import { loadConfig, type processVariables } from './config.ts';
import { createLogger, type Logger } from './logger.ts';
import { createMetrics, type Registry } from './metrics.ts';
import { handleShutdown, type Shutdown } from './shutdown.ts';

/** The foundation of a process, from its first moment. */
export interface RunningProcess<Config> {
  config: Config;
  /** INSTANCE, or the kind, host and id of the process. */
  instance: string;
  log: Logger;
  metrics: Registry;
  shutdown: Shutdown;
}

/** A schema with at least these {@link processVariables}. */
type ConfigSchema = z.ZodObject<Pick<typeof processVariables, 'LOG_LEVEL' | 'INSTANCE' | 'SHUTDOWN_GRACE_MS'>>;

/**
 * Reads the configuration from the environment, and makes the log, the metrics and the shutdown of a process. A wrong
 * configuration ends the process with exit code 78.
 *
 * @param kind name of the process in logs: `api`, `worker`
 * @param shutdownMs milliseconds that the shutdown steps may take beyond SHUTDOWN_GRACE_MS
 *
 * @example
 * const { config, log, metrics, shutdown } = startProcess('example', schema, 5_000);
 */
export function startProcess<Schema extends ConfigSchema>(
  kind: string,
  configSchema: Schema,
  shutdownMs: number,
): RunningProcess<z.output<Schema>> {
  const config = loadConfig(configSchema);
  const instance = config.INSTANCE ?? `${kind}-${hostname()}-${process.pid}`;
  const log = createLogger(kind, { level: config.LOG_LEVEL, instance });
  const shutdown = handleShutdown(log, config.SHUTDOWN_GRACE_MS + shutdownMs);
  return { config, instance, log, metrics: createMetrics(), shutdown };
}
