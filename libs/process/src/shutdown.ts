import type { Logger } from './logger.ts';
import { setTimer } from './timers.ts';

/** Codes of errors that only another configuration, program, broker or database fixes. */
const FINAL = ['broker-refused', 'topology-mismatch', 'database-unusable', 'schema-conflict'];

/** Ends a process with its shutdown steps. */
export interface Shutdown {
  /** Adds a step. The steps run one after the other, in the order of these calls. */
  step(name: string, run: () => Promise<void> | void): void;
  /** Ends the process with exit code 1 at once, without the steps, because it can't do its work. Logs the error. */
  fail(error: Error): void;
}

/**
 * Handles the end of a process. SIGTERM or SIGINT runs the steps and exits with 0, or with 1 if a step fails. A second
 * signal exits with 1 at once, and so does a shutdown that takes longer than `limitMs` milliseconds.
 *
 * An uncaught error exits with 1 at once, without the steps, because the state of the process is not reliable any more.
 * The steps of a worker would also requeue the job that may have caused the error, without counting the attempt.
 */
export function handleShutdown(log: Logger, limitMs: number): Shutdown {
  const steps: { name: string; run: () => Promise<void> | void }[] = [];
  let stopping = false;

  async function stop(): Promise<void> {
    let exitCode = 0;
    stopping = true;
    setTimer(() => {
      log.error({ limitMs }, 'shutdown took too long');
      process.exit(1);
    }, limitMs).unref();
    for (const { name, run } of steps) {
      try {
        await run();
      } catch (error) {
        log.error({ err: error, step: name }, 'shutdown step failed');
        exitCode = 1;
      }
    }
    log.info('stopped');
    process.exit(exitCode);
  }

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stopping) process.exit(1);
      log.info({ signal }, 'stopping');
      void stop();
    });
  }
  function fail(error: Error & { code?: unknown; syscall?: unknown }): void {
    const { code, syscall, message } = error;
    // The code is not at fault, so its stack does not help.
    if (FINAL.includes(String(code)) || syscall === 'listen')
      log.fatal({ code }, `stopped by a fatal error: ${message}`);
    else log.fatal({ err: error }, 'stopped by a fatal error');
    process.exit(1);
  }
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', (reason) => fail(reason instanceof Error ? reason : new Error(String(reason))));

  return { step: (name, run) => void steps.push({ name, run }), fail };
}
