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

/** The right to run on a folder: one process at a time has it. */
export interface Lock {
  /** Remembers the processes of a service, so that the next run can end them should this one be killed. */
  record(service: string, pids: readonly number[]): void;
  /** Gives the right back. */
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
 * Takes the lock `start.pid` of a folder, which is created when it is not there, for its owner alone. A lock whose
 * process has gone is taken over, and what that process left running is ended.
 * @returns also how many such processes there were
 * @throws AlreadyRunningError when another process has it
 */
export async function takeLock(folder: string): Promise<{ lock: Lock; leftovers: number }> {
  const file = join(folder, 'start.pid');
  const processes = join(folder, 'processes.json');
  // Root's servers run as other users, who have to come through here.
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

/** The file holds the process id and, in its second line, what tells that process from a later one with the same id. */
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
