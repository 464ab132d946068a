import { setTimeout as delay } from 'node:timers/promises';

import { describeExit, type Exit } from '@offload/child-processes';

/** A service that the supervisor keeps running. */
export interface Service {
  name: string;
  /** Starts the service, in the same way each time. Rejects when that fails. `abort` cancels the start. */
  start(abort: AbortSignal): Promise<RunningService>;
}

/** A service that has started. */
export interface RunningService {
  /** Ids of all its processes. */
  pids: readonly number[];
  /** Resolves when it is ready; never if it ends before. @default ready when `start` has resolved */
  ready?: Promise<void>;
  /** Resolves when it has ended, by `stop` or by itself. */
  exited: Promise<Exit>;
  /** The last lines of its output. @default none */
  tail?(): string;
  /** Ends it in good order, or by SIGKILL after a while. */
  stop(): Promise<void>;
}

/** Options of {@link createSupervisor}. */
export interface SupervisorOptions {
  /** First pause before a restart, in milliseconds. It doubles with each crash. @default 250 */
  firstPauseMs?: number;
  /** Longest pause, in milliseconds. @default 10_000 */
  longestPauseMs?: number;
  /** Milliseconds after which a service counts as sound, and its next pause is the first again. @default 60_000 */
  soundAfterMs?: number;
  /** Gets the events of a service, without its name. */
  log(service: string, line: string): void;
  /** Gets the processes of a service whenever they change: none while it is down. */
  onProcesses(service: string, pids: readonly number[]): void;
  /** Called when a service exits with 78: its configuration is wrong, so it is not restarted. */
  onMisconfigured(service: string): void;
}

/** Keeps services running. */
export interface Supervisor {
  /** Starts a service and keeps it running. Rejects when its first start fails, or after `stop`. */
  keep(service: Service): Promise<void>;
  /** Ends a service in good order and starts it again at once, also during a pause after a crash. */
  restart(name: string): Promise<void>;
  /** Stops all services at once, also during a start or a pause. Resolves when they have ended. */
  stop(): Promise<void>;
}

/** A service that is kept. */
interface Kept {
  service: Service;
  running: RunningService | undefined;
  /** Fires when the service must start again. */
  again: AbortController;
}

/** EX_CONFIG of sysexits.h */
export const MISCONFIGURED = 78;

/** Lines of a crash in the log: enough for an error, the beginning of its stack and Node.js's version. */
const CRASH_LINES = 10;

const DEFAULTS = {
  firstPauseMs: 250,
  longestPauseMs: 10_000,
  soundAfterMs: 60_000,
} satisfies Partial<SupervisorOptions>;

/** @returns whether it was ready before it ended */
function becomesReady({ ready, exited }: RunningService): Promise<boolean> {
  return Promise.race([(ready ?? Promise.resolve()).then(() => true), exited.then(() => false)]);
}

/** The log message of a service that ended before it was ready, for the `times`-th time in a row. */
function crashed({ tail }: RunningService, how: Exit, times: number, pauseMs: number): string {
  const often = times > 1 ? `, ${times} times in a row` : '';
  const lines = tail?.().split('\n').slice(-CRASH_LINES).join('\n  ') ?? '';
  const said = lines.trim() === '' ? '' : `; its last lines:\n  ${lines}`;
  return `crashed before it was ready (${describeExit(how)}${often}), starting again in ${pauseMs} ms${said}`;
}

/** Makes a supervisor. */
export function createSupervisor(options: SupervisorOptions): Supervisor {
  const { firstPauseMs, longestPauseMs, soundAfterMs, log, onProcesses, onMisconfigured } = { ...DEFAULTS, ...options };
  const stopping = new AbortController();
  const all = new Map<string, Kept>();
  const watched: Promise<void>[] = [];

  async function start(kept: Kept): Promise<RunningService> {
    const { service } = kept;
    // A signal for the start alone. When the service runs, stop() ends it in good order instead.
    const starting = new AbortController();
    const giveUp = () => starting.abort(stopping.signal.reason);
    stopping.signal.addEventListener('abort', giveUp);
    kept.again = new AbortController();
    const started = await service.start(starting.signal).finally(() => {
      stopping.signal.removeEventListener('abort', giveUp);
    });
    kept.running = started;
    onProcesses(service.name, started.pids);
    if (stopping.signal.aborted || kept.again.signal.aborted) await started.stop();
    return started;
  }

  /** Repeats started → ready → ended → pause → started, until the supervisor stops. */
  async function watch(kept: Kept, started: RunningService): Promise<void> {
    const { service } = kept;
    let pauseMs = firstPauseMs;
    let crashes = 0;
    for (let current: RunningService | undefined = started; ;) {
      const startedAt = performance.now();
      const wasReady = current && (await becomesReady(current));
      if (wasReady && current !== started) log(service.name, 'is running again');
      const how = current && (await current.exited);
      kept.running = undefined;
      onProcesses(service.name, []);
      if (stopping.signal.aborted) return;
      const { signal: again } = kept.again;
      if (!again.aborted) {
        if (how?.code === MISCONFIGURED) return onMisconfigured(service.name);
        if (performance.now() - startedAt >= soundAfterMs) pauseMs = firstPauseMs;
        crashes = wasReady ? 0 : crashes + 1;
        if (how && wasReady)
          log(service.name, `ended unexpectedly (${describeExit(how)}), starting again in ${pauseMs} ms`);
        else if (current && how) log(service.name, crashed(current, how, crashes, pauseMs));
        await delay(pauseMs, undefined, { signal: AbortSignal.any([stopping.signal, again]) }).catch(() => {});
        if (stopping.signal.aborted) return;
      }
      pauseMs = again.aborted ? firstPauseMs : Math.min(pauseMs * 2, longestPauseMs);
      current = await start(kept).catch((error: unknown) => {
        if (!stopping.signal.aborted) log(service.name, `${String(error)}\nstarting again in ${pauseMs} ms`);
        return undefined;
      });
    }
  }

  return {
    async keep(service) {
      stopping.signal.throwIfAborted();
      const kept: Kept = { service, running: undefined, again: new AbortController() };
      all.set(service.name, kept);
      const started = await start(kept);
      watched.push(watch(kept, started));
    },
    async restart(name) {
      const kept = all.get(name);
      kept?.again.abort();
      await kept?.running?.stop();
    },
    async stop() {
      stopping.abort(new Error('The system is stopping.'));
      await Promise.all([...all.values()].map(({ running }) => running?.stop()));
      await Promise.all(watched);
    },
  };
}
