import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

const LINUX = existsSync('/proc/self/stat');

/**
 * Text that distinguishes a process from a later one with the same id: its start time, and on Linux the boot.
 *
 * @returns undefined when no such process runs (a zombie does not count as running)
 */
export function processIdentity(pid: number): string | undefined {
  if (!LINUX) return ps(pid, 'lstart=');
  const stat = read(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // proc_pid_stat(5): the name is in brackets and may contain anything. The state follows; the start time is field 22.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? undefined : `${read('/proc/sys/kernel/random/boot_id')?.trim()}/${fields[19]}`;
}

/** The command line of a running process, with spaces between the words; undefined when no such process runs. */
export function processCommand(pid: number): string | undefined {
  if (!LINUX) return ps(pid, 'command=');
  return processIdentity(pid) && read(`/proc/${pid}/cmdline`)?.replaceAll('\0', ' ').trim();
}

/**
 * Sends a signal to the process group that `pid` leads, or else to `pid` alone. Does nothing when the process has
 * ended.
 */
export function signalGroup(pid: number, name: NodeJS.Signals): void {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, name);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined; // the process has gone
  }
}

function ps(pid: number, column: string): string | undefined {
  try {
    const args = ['-o', column, '-p', String(pid)];
    return execFileSync('ps', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim() || undefined;
  } catch {
    return undefined; // ps exits with 1 when there is no such process
  }
}
