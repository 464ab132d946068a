import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort, installPackage } from '@offload/child-processes';
import { Redis } from 'ioredis';
import { systemProgram } from './system-program.ts';

/** When Redis syncs its log to the disk: once a second, or before each answer. */
export type Durability = 'everysec' | 'always';

/** A running Redis. */
export interface RedisServer {
  url: string;
  pid: number;
  version: string;
  /** Empties it, and sets its durability. */
  reset(durability: Durability): Promise<void>;
  stop(): Promise<void>;
}

const READY_TIMEOUT_MS = 10_000;

/**
 * Starts a Redis with an append-only log on 127.0.0.1. It installs the system's package if Redis is missing.
 *
 * @throws Error with the reason when that fails
 */
export async function startRedis(folder: string, log: (line: string) => void): Promise<RedisServer> {
  const program = await systemProgram('redis-server', () => installPackage('redis-server', log));
  const port = await freePort();
  await mkdir(folder);
  // BullMQ's documentation advises a log. There are no snapshots beside it.
  const settings = { port, bind: '127.0.0.1', dir: folder, appendonly: 'yes', appendfsync: 'everysec', save: '' };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn(program, args, { stdio: 'ignore' });
  const kill = (): void => void child.kill('SIGKILL');
  process.on('exit', kill);
  const exited = once(child, 'exit');

  const client = new Redis({ host: '127.0.0.1', port, lazyConnect: false, maxRetriesPerRequest: null });
  client.on('error', () => undefined); // Redis has not started yet, or has ended
  const stop = async (): Promise<void> => {
    client.disconnect();
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await exited;
    }
    process.off('exit', kill);
  };
  const ready = await Promise.race([client.info('server'), exited, delay(READY_TIMEOUT_MS, null, { ref: false })]);
  if (typeof ready !== 'string') {
    kill();
    await stop();
    throw new Error(`redis-server has ended, or did not answer within ${READY_TIMEOUT_MS / 1_000} s`);
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    pid: child.pid as number,
    version: /redis_version:(\S+)/.exec(ready)?.[1] ?? 'unknown',
    async reset(durability) {
      await client.flushall('SYNC');
      await client.config('SET', 'appendfsync', durability);
    },
    stop,
  };
}
