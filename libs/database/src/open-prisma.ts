import { setImmediate } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { PrismaClient } from './generated/prisma/client.ts';

/** Prisma on a pool, loaded when it is first wanted: it takes 30 MiB, and serves what is seldom asked. */
export interface Prisma {
  client(): Promise<PrismaClient>;
  close(): Promise<void>;
}

export function openPrisma(pool: Pool): Prisma {
  let client: Promise<PrismaClient> | undefined;

  async function load(): Promise<PrismaClient> {
    // One after the other, so that what the process has to do meanwhile comes between: each holds it for up to 60 ms.
    const { PrismaPg } = await import('@prisma/adapter-pg');
    await setImmediate();
    const { PrismaClient } = await import('./generated/prisma/client.ts');
    await setImmediate();
    return new PrismaClient({ adapter: new PrismaPg(pool) });
  }

  return {
    client() {
      client ??= load().catch((error: unknown) => {
        client = undefined; // the next one may have more luck
        throw error;
      });
      return client;
    },
    close: async () => void (await (await client?.catch(() => undefined))?.$disconnect()),
  };
}
