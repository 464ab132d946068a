import type { Logger } from './logger.ts';
import { setTimer } from './timers.ts';

/** Codes of errors that say that a server does not take us, and the settings that lead there. */
const SETTINGS: Readonly<Record<string, string>> = {
  'broker-refused': 'AMQP_URL',
  'database-unusable': 'DATABASE_URL',
};

/** Codes of errors that only another configuration, program, broker or database can mend. */
const FINAL = [...Object.keys(SETTINGS), 'topology-mismatch', 'schema-conflict'];

/** Ends a process with its shutdown steps. */
export interface Shutdown {
  /** Adds a step. The steps run one after the other, in the order of these calls. */
  step(name: string, run: () => Promise<void> | void): void;
  /** Ends the process with exit code 1 at once, without the steps, because it can't do its work. Logs the error. */
  fail(error: Error): void;
  /** Ends the process as SIGTERM does, unless it is ending already. */
  stop(reason: string): void;
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
  function stopFor(reason: string): void {
    if (stopping) return;
    log.info({ reason }, 'stopping');
    void stop();
  }
  function fail(error: Error & { code?: unknown; syscall?: unknown }): void {
    const { code, syscall, message } = error;
    // Not for the code to mend: its stack tells nothing.
    const setting = SETTINGS[String(code)];
    const what = setting ? `cannot go on with this ${setting}` : 'cannot go on';
    if (FINAL.includes(String(code)) || syscall === 'listen') log.fatal({ code }, `${what}: ${message}`);
    else log.fatal({ err: error }, 'cannot go on');
    process.exit(1);
  }
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', (reason) => fail(reason instanceof Error ? reason : new Error(String(reason))));

  return { step: (name, run) => void steps.push({ name, run }), fail, stop: stopFor };
}
