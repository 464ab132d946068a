import { startProgram, type ProgramProcess } from '../app-process.ts';
import { HELLO, type System } from './system.ts';

/** The parts that differ between peers. All their programs answer the same requests. */
export type PeerParts = Pick<System, 'name' | 'can' | 'jobsToRun' | 'reset'> & {
  /** Name of its program in src/peers. */
  program: string;
  env: Record<string, string>;
  missing?: string | undefined;
} & Partial<Pick<System, 'stored' | 'finished' | 'finishedAt' | 'verify' | 'transactions' | 'pickUpFrom'>>;

/** Makes the system of a peer, whose one program is its api or its worker. */
export function peerSystem({ program, env, name, ...parts }: PeerParts): System {
  const start = (role: string, more: Record<string, string> = {}): Promise<ProgramProcess> =>
    startProgram({
      name: `${name} ${role}`,
      file: `bench/dist/${program}.js`,
      args: [role],
      env: { ...env, ...more },
      portVariable: 'PORT',
    });

  return {
    name,
    pickUpFrom: 'answer',
    usesOutbox: false,
    startApi: () => start('api'),
    startWorker: ({ concurrency, recordCalls = false }) =>
      start('worker', { CONCURRENCY: String(concurrency), RECORD_CALLS: recordCalls ? '1' : '0' }),
    one: () => ({ path: '/jobs', body: JSON.stringify(HELLO) }),
    many: (many) => batch(many, HELLO),
    manySleeping: (many, seconds) => batch(many, { seconds }),
    settled: () => Promise.resolve(),
    stored: () => Promise.resolve(NaN),
    async finished(workers) {
      const counts = await Promise.all(workers.map((worker) => read<number>(worker, '/finished')));
      return counts.reduce((sum, count) => sum + count, 0);
    },
    finishedAt: async (workers) =>
      (await Promise.all(workers.map((worker) => read<number[]>(worker, '/finished-times')))).flat(),
    calledAt: async (worker) => new Map(await read<[string, number][]>(worker, '/calls')),
    verify: () => Promise.resolve(),
    transactions: () => Promise.resolve(NaN),
    ...parts,
  };
}

function batch(many: number, payload: object) {
  return { path: '/jobs/batch', body: JSON.stringify({ jobs: Array(many).fill(payload) }) };
}

async function read<Answer>({ url }: ProgramProcess, path: string): Promise<Answer> {
  return (await (await fetch(url + path)).json()) as Answer;
}
