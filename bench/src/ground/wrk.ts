import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installPackage } from '@offload/child-processes';
import { z } from 'zod';
import { systemProgram } from './system-program.ts';

const script = join(import.meta.dirname, 'wrk.lua');

const printed = z.object({
  sent: z.int(),
  requests: z.int(),
  durationUs: z.number().positive(),
  p50Us: z.number(),
  p99Us: z.number(),
  refused: z.int(),
  errors: z.int(),
});

/** A load of equal requests. */
export interface Load {
  url: string;
  body: string;
  connections: number;
  seconds: number;
}

/** The result of a load. */
export interface LoadResult {
  /** Requests that were sent, answered or not. */
  sent: number;
  /** Requests that were answered with success. */
  accepted: number;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
}

/** Sends a body again and again over several connections. */
export type SendLoad = (load: Load) => Promise<LoadResult>;

/**
 * Prepares wrk in one thread. It is written in C, and so takes little CPU from the measured processes on the same
 * machine.
 *
 * @throws Error when wrk is missing and can't be installed
 */
export async function openWrk(log: (line: string) => void): Promise<SendLoad> {
  const program = await systemProgram('wrk', () => installPackage('wrk', log));
  return async ({ url, body, connections, seconds }) => {
    const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '20s', '-s', script, url, '--', body];
    const running = promisify(execFile)(program, args, { timeout: (seconds + 30) * 1_000 });
    const kill = (): void => void running.child.kill('SIGKILL');
    process.once('exit', kill);
    const { stdout } = await running.finally(() => process.off('exit', kill));
    const { sent, requests, durationUs, p50Us, p99Us, refused, errors } = printed.parse(
      JSON.parse(stdout.slice(stdout.lastIndexOf('\n{'))),
    );
    if (refused + errors > 0) throw new Error(`of ${requests} requests ${refused} were refused and ${errors} failed`);
    const perSecond = (requests * 1e6) / durationUs;
    return { sent, accepted: requests, perSecond, p50Ms: p50Us / 1_000, p99Ms: p99Us / 1_000 };
  };
}
