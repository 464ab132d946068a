// Express 5 with its JSON parser alone: the upper bound for every api on Express.
import { randomUUID } from 'node:crypto';
import { runPeer } from './peer-process.ts';

await runPeer({
  api: () =>
    Promise.resolve({
      take: () => Promise.resolve(randomUUID()),
      takeMany: () => Promise.resolve(),
      close: () => Promise.resolve(),
    }),
});
