// Express 5 with its JSON parser, and nothing behind it: what no api on it can be faster than.
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
