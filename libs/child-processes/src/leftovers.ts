// The door @offload/child-processes/leftovers: finds and ends processes that an earlier run has left behind.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { processIdentity, signalGroup } from './process-identity.ts';

/** A process that was started here and must not outlive its keeper. */
export interface RecordedProcess {
  pid: number;
  /** see `processIdentity` */
  identity: string;
}

/** What is needed to recognise `pids` later; those that have already ended are left out. */
export function recordOf(pids: readonly number[]): RecordedProcess[] {
  return pids.flatMap((pid) => {
    const identity = processIdentity(pid);
    return identity === undefined ? [] : [{ pid, identity }];
  });
}

/** Writes `file` in one step, so that a crash leaves either the old or the new contents. @param mode of the file */
export function writeRecord(file: string, contents: unknown, mode = 0o644): void {
  mkdirSync(dirname(file), { recursive: true });
  rmSync(`${file}.new`, { force: true }); // of a crash: its mode may be another
  writeFileSync(`${file}.new`, JSON.stringify(contents), { mode });
  renameSync(`${file}.new`, file);
}

/** The JSON in `file`; undefined when there is none or it is damaged. */
export function readRecord(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Removes `file`; nothing happens when it is not there. */
export function removeRecord(file: string): void {
  rmSync(file, { force: true });
}

/**
 * Ends processes that an earlier run left behind, with their groups: SIGTERM, and SIGKILL after `graceMs`. Ids that now
 * belong to other processes are left alone.
 * @returns how many were still running
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
