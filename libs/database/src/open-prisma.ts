import type { Pool } from 'pg';
import type { PrismaClient } from './generated/prisma/client.ts';

/** Prisma on a pool, loaded when it is first wanted: a worker hardly ever reads jobs by it, and it takes 20 MiB. */
export interface Prisma {
  client(): Promise<PrismaClient>;
  close(): Promise<void>;
}

export function openPrisma(pool: Pool): Prisma {
  let client: Promise<PrismaClient> | undefined;

  async function load(): Promise<PrismaClient> {
    const [{ PrismaClient }, { PrismaPg }] = await Promise.all([
      import('./generated/prisma/client.ts'),
      import('@prisma/adapter-pg'),
    ]);
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
