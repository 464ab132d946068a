import { hostname } from 'node:os';
import type { z } from 'zod';
import { loadConfig, type processVariables } from './config.ts';
import { createLogger, type Logger } from './logger.ts';
import { createMetrics, type Registry } from './metrics.ts';
import { handleShutdown, type Shutdown } from './shutdown.ts';

/** What each process of Offload has from its first moment. */
export interface RunningProcess<Config> {
  config: Config;
  /** INSTANCE, or the kind of the process, its host and its process id. */
  instance: string;
  log: Logger;
  metrics: Registry;
  shutdown: Shutdown;
}

/** A schema that has at least {@link processVariables}. */
type ConfigSchema = z.ZodObject<Pick<typeof processVariables, 'LOG_LEVEL' | 'INSTANCE' | 'SHUTDOWN_GRACE_MS'>>;

/**
 * Reads the configuration from the environment, and prepares log, metrics and shutdown. A wrong configuration ends the
 * process with exit code 78.
 *
 * @param kind names the process in logs: `api`, `worker`
 * @param shutdownMs how long the steps of the shutdown may take beyond SHUTDOWN_GRACE_MS, in milliseconds
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
