// The door @offload/child-processes/leftovers: finds and ends processes that an earlier run has left behind.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { processIdentity, signalGroup } from './process-identity.ts';

/** A process that a later run must end if it still runs. */
export interface RecordedProcess {
  pid: number;
  /** See `processIdentity`. */
  identity: string;
}

/** Records the running processes of `pids`, so that `endLeftovers` recognises them later. */
export function recordOf(pids: readonly number[]): RecordedProcess[] {
  return pids.flatMap((pid) => {
    const identity = processIdentity(pid);
    return identity === undefined ? [] : [{ pid, identity }];
  });
}

/**
 * Writes `contents` as JSON in one step: after a crash, `file` has the old or the new contents.
 * @param mode of the file
 */
export function writeRecord(file: string, contents: unknown, mode = 0o644): void {
  mkdirSync(dirname(file), { recursive: true });
  rmSync(`${file}.new`, { force: true }); // a file from a crash may have another mode
  writeFileSync(`${file}.new`, JSON.stringify(contents), { mode });
  renameSync(`${file}.new`, file);
}

/** Reads the JSON in `file`; undefined when the file is missing or damaged. */
export function readRecord(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Removes `file` if it exists. */
export function removeRecord(file: string): void {
  rmSync(file, { force: true });
}

/**
 * Ends the processes that an earlier run left behind, with their groups: SIGTERM, and SIGKILL after `graceMs`
 * milliseconds. It does not touch a process that has got the same id later.
 *
 * @returns how many of them were still running
 */
export async function endLeftovers(recorded: readonly RecordedProcess[], graceMs = 3_000): Promise<number> {
  const alive = () => recorded.filter(({ pid, identity }) => processIdentity(pid) === identity);
  const found = alive();
  signal(found, 'SIGTERM');
  for (const until = Date.now() + graceMs; alive().length > 0 && Date.now() < until;) await delay(50);
  signal(alive(), 'SIGKILL');
  for (const until = Date.now() + 2_000; alive().length > 0 && Date.now() < until;) await delay(20);
  return found.length;
}

function signal(processes: readonly RecordedProcess[], name: NodeJS.Signals): void {
  for (const { pid } of processes) signalGroup(pid, name);
}
