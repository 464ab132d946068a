import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { processIdentity } from '@offload/child-processes';
import {
  endLeftovers,
  readRecord,
  recordOf,
  removeRecord,
  writeRecord,
  type RecordedProcess,
} from '@offload/child-processes/leftovers';

/** The lock of a folder: one process at a time may run on it. */
export interface Lock {
  /** Records the processes of a service, so that the next run can end them if this one is killed. */
  record(service: string, pids: readonly number[]): void;
  /** Releases the lock. */
  release(): void;
}

/** Another process runs on the folder. */
class AlreadyRunningError extends Error {
  readonly code = 'already-running';

  constructor(pid: number) {
    super(`already running (pid ${pid})`);
  }
}

/**
 * Takes the lock `start.pid` of a folder. It creates a missing folder, for its owner alone. It takes over the lock of a
 * process that has ended, and ends the processes that that one has left running.
 *
 * @returns the lock, and the number of ended processes
 * @throws AlreadyRunningError when another process has the lock
 */
export async function takeLock(folder: string): Promise<{ lock: Lock; leftovers: number }> {
  const file = join(folder, 'start.pid');
  const processes = join(folder, 'processes.json');
  // Root's servers run as other users, who must enter this folder.
  mkdirSync(folder, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
  acquire(file);
  const recorded = (readRecord(processes) ?? {}) as Record<string, RecordedProcess[]>;
  const leftovers = await endLeftovers(Object.values(recorded).flat());

  const current: Record<string, RecordedProcess[]> = {};
  return {
    leftovers,
    lock: {
      record(service, pids) {
        current[service] = recordOf(pids);
        writeRecord(processes, current);
      },
      release() {
        removeRecord(processes);
        rmSync(file, { force: true });
      },
    },
  };
}

/** Writes the file: the process id, and text that distinguishes the process from a later one with the same id. */
function acquire(file: string): void {
  for (;;) {
    try {
      return writeFileSync(file, `${process.pid}\n${processIdentity(process.pid)}\n`, { flag: 'wx' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const [pid = '', identity] = readFileSync(file, 'utf8').split('\n');
    if (identity !== undefined && processIdentity(Number(pid)) === identity) throw new AlreadyRunningError(Number(pid));
    rmSync(file, { force: true });
  }
}
