import { setImmediate } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { PrismaClient } from './generated/prisma/client.ts';

/** A Prisma client that is loaded on first use: it takes 30 MiB and serves rare requests. */
export interface Prisma {
  /** Loads the client, or returns the loaded one. */
  client(): Promise<PrismaClient>;
  /** Disconnects the client if it was loaded. */
  close(): Promise<void>;
}

/** Makes the lazily loaded client on a pool. */
export function openPrisma(pool: Pool): Prisma {
  let client: Promise<PrismaClient> | undefined;

  async function load(): Promise<PrismaClient> {
    // Each import blocks the process for up to 60 ms, so other work runs in between.
    const { PrismaPg } = await import('@prisma/adapter-pg');
    await setImmediate();
    const { PrismaClient } = await import('./generated/prisma/client.ts');
    await setImmediate();
    return new PrismaClient({ adapter: new PrismaPg(pool) });
  }

  return {
    client() {
      client ??= load().catch((error: unknown) => {
        client = undefined; // the next call loads it again
        throw error;
      });
      return client;
    },
    close: async () => void (await (await client?.catch(() => undefined))?.$disconnect()),
  };
}
