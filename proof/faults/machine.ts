import { readFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';

/** Describes cores, memory and operating system in one line. */
export function describeMachine(): string {
  const [processor] = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return `${cpus().length} cores (${processor?.model.trim() ?? 'unknown'}), ${memory}, ${operatingSystem()}`;
}

function operatingSystem(): string {
  try {
    const [, name] = /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8')) ?? [];
    if (name) return name;
  } catch {
    // not a Linux
  }
  return `${type()} ${release()}`;
}
