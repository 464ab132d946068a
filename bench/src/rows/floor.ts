import { execFile } from 'node:child_process';
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { medianOf } from '../figures/summary.ts';
import type { Bench } from './bench.ts';

const SYNCS = 200;
const CONFIRMS = 200;
const root = join(import.meta.dirname, '../../..');

/** The name of the machine's own figures. */
export const MACHINE = 'this machine';

/** Measures the lower bound of one job at a time: a page of the database's log on the disk, and a confirmed message. */
export async function measureFloor({ ground, figures }: Bench): Promise<void> {
  figures.add(MACHINE, { fsync: await fsyncMs(ground.folder), confirm: await confirmMs(ground.amqpUrl) });
}

async function fsyncMs(folder: string): Promise<number> {
  const path = join(folder, 'fsync');
  const file = openSync(path, 'w');
  const page = Buffer.alloc(8_192, 'x');
  const times = Array.from({ length: SYNCS }, () => {
    const from = performance.now();
    writeSync(file, page);
    fdatasyncSync(file);
    return performance.now() - from;
  });
  closeSync(file);
  await rm(path);
  return medianOf(times);
}

async function confirmMs(amqpUrl: string): Promise<number> {
  const args = [join(root, 'bench/dist/confirm-times.js'), String(CONFIRMS)];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    env: { ...process.env, AMQP_URL: amqpUrl },
    timeout: 60_000,
  });
  return medianOf(JSON.parse(stdout) as number[]);
}
