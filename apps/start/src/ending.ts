import { killChildren } from '@offload/child-processes';

/** When and how the program ends. The first reason counts. */
export interface Ending {
  /** fires with the first reason */
  readonly signal: AbortSignal;
  /** resolves to the exit code with the first reason */
  readonly requested: Promise<number>;
  /** @param exitCode 0 when somebody asked for the end, 1 when the program can't go on */
  request(exitCode: number): void;
}

// npm passes the terminal's Ctrl-C on to us, who have it from the terminal already: one key press, two signals.
const SAME_KEY_PRESS_MS = 500;
const DEADLINE_MS = 9_500;

/**
 * SIGINT, SIGTERM and SIGHUP end the program with exit code 0; a second one kills everything at once, and so does a
 * deadline of 9.5 s. An error that nobody caught ends it with 1.
 * @param log is told why
 */
export function createEnding(log: (line: string) => void): Ending {
  const controller = new AbortController();
  let firstAt: number | undefined;

  const requested = new Promise<number>((resolve) => {
    controller.signal.addEventListener('abort', () => {
      firstAt = performance.now();
      setTimeout(killAll, DEADLINE_MS, 'took too long to stop').unref();
      resolve(controller.signal.reason as number);
    });
  });

  function killAll(why: string): void {
    log(`${why}: killing everything`);
    killChildren();
    process.exit(1);
  }

  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (firstAt === undefined) {
        log(`${name}: stopping`);
        controller.abort(0);
      } else if (performance.now() - firstAt > SAME_KEY_PRESS_MS) killAll(`second ${name}`);
    });
  }
  const fail = (error: unknown) => {
    log(error instanceof Error ? (error.stack ?? error.message) : String(error));
    controller.abort(1);
  };
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
  // Whoever read our output has gone, as when the terminal was closed.
  process.stdout.on('error', () => controller.abort(0));

  return { signal: controller.signal, requested, request: (exitCode) => controller.abort(exitCode) };
}
