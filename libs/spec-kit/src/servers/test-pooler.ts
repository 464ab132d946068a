// Runs a PgBouncer for a test file. It answers requests (see requests.ts), and removes PgBouncer when its input ends:
//   ["open", URL of a database, mode] → URL of the same through the pooler
import { startPooler, type Pooler, type PoolMode } from './pooler.ts';
import { answerRequests } from './requests.ts';

const ending = new AbortController();
let pooler: Pooler | undefined;

async function open(databaseUrl: string, mode: PoolMode): Promise<string> {
  const log = (line: string) => process.stderr.write(`${line}\n`);
  pooler = await startPooler(databaseUrl, mode, { abort: ending.signal, log });
  return pooler.url;
}

answerRequests(
  (request) => {
    const [, databaseUrl, mode] = request as ['open', string, PoolMode];
    return open(databaseUrl, mode);
  },
  { abandon: () => ending.abort(), remove: async () => pooler?.remove() },
);
