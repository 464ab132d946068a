import { killChildren } from '@offload/child-processes';

/** The end of the program. The first request counts. */
export interface Ending {
  /** Fires at the first request. */
  readonly signal: AbortSignal;
  /** Resolves with the exit code of the first request. */
  readonly requested: Promise<number>;
  /** Requests the end. @param exitCode 0 when a user requested it, 1 when the program can't continue */
  request(exitCode: number): void;
}

// npm passes Ctrl-C on to this program, which gets it from the terminal too: one key press, two signals.
const SAME_KEY_PRESS_MS = 500;
const DEADLINE_MS = 9_500;

/**
 * Handles the end of the program. SIGINT, SIGTERM and SIGHUP end it with exit code 0. A second signal kills all
 * processes at once, and so does a deadline of 9.5 s. An uncaught error ends it with 1.
 *
 * @param log gets the reason
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
  // The reader of the output has gone, for example when the terminal was closed.
  process.stdout.on('error', () => controller.abort(0));

  return { signal: controller.signal, requested, request: (exitCode) => controller.abort(exitCode) };
}
