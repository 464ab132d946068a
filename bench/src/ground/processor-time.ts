import { readdirSync, readFileSync } from 'node:fs';

/** In Linux; `getconf CLK_TCK` is 100 on every machine that Node.js supports. */
const MS_PER_TICK = 10;

/** The times of a process in the kernel. */
export interface ProcessTimes {
  pid: number;
  parent: number;
  /** Clock ticks in user and system mode, of the process and its ended children. */
  ticks: number;
}

/** Reads a line of `/proc/<pid>/stat`. proc_pid_stat(5): the name is in brackets and may contain anything. */
export function parseStat(text: string): ProcessTimes {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const field = (number: number): number => Number(fields[number - 3]); // the state is field 3
  return { pid: parseInt(text, 10), parent: field(4), ticks: field(14) + field(15) + field(16) + field(17) };
}

/** Clock ticks of a process and all its descendants. */
export function ticksOf(root: number, processes: readonly ProcessTimes[]): number {
  const own = processes.find(({ pid }) => pid === root)?.ticks ?? 0;
  const children = processes.filter(({ parent, pid }) => parent === root && pid !== root);
  return children.reduce((sum, { pid }) => sum + ticksOf(pid, processes), own);
}

/** CPU time of processes with their descendants, in milliseconds, by name. NaN for a NaN, 0 for a missing process. */
export function processorTimes<Name extends string>(pids: Record<Name, number>): Record<Name, number> {
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const text = read(`/proc/${pid}/stat`);
      return text === undefined ? [] : [parseStat(text)];
    });
  const time = (pid: number): number => (Number.isNaN(pid) ? NaN : ticksOf(pid, processes) * MS_PER_TICK);
  const entries = Object.entries<number>(pids).map(([name, pid]) => [name, time(pid)]);
  return Object.fromEntries(entries) as Record<Name, number>;
}

/** Resident memory of a process, in MiB. */
export function residentMiB(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`) ?? '')?.[1]) / 1024;
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined; // the process has gone
  }
}
