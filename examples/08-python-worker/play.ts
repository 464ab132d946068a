import { setTimeout } from 'node:timers/promises';
import type { Lesson } from '../player/stage.ts';

interface Job {
  status: string;
  attempt: number;
  result: unknown;
  error: { code: string; message: string } | null;
  errors: { code: string }[];
}

const PATIENCE_MS = 20_000;
const signal = () => AbortSignal.timeout(PATIENCE_MS);

async function post(api: string, payload: object, headers: Record<string, string> = {}): Promise<Job & { id: string }> {
  const body = JSON.stringify({ type: 'text.count', queue: 'python', payload });
  const given = { 'Content-Type': 'application/json', ...headers };
  const answer = await fetch(`${api}/v1/jobs`, { method: 'POST', headers: given, body, signal: signal() });
  return (await answer.json()) as Job & { id: string };
}

/** Waits for the worker of this name to run a job. */
async function untilBusy(api: string, instance: string): Promise<void> {
  for (const until = performance.now() + PATIENCE_MS; performance.now() < until; await setTimeout(50)) {
    const answer = await fetch(`${api}/v1/workers`, { signal: signal() });
    const { workers } = (await answer.json()) as { workers: { instance: string; running: number }[] };
    if (workers.some((worker) => worker.instance === instance && worker.running > 0)) return;
  }
  throw new Error(`${instance} runs no job`);
}

export const lesson: Lesson = {
  declares: {},

  async play({ sceneWithOwnSystem, findPython, start, tell }) {
    const interpreter = await findPython();
    const system = { QUEUES: 'default,python' };

    await sceneWithOwnSystem('a worker in Python, killed and taken over', system, async ({ api, restart }) => {
      await restart('worker', { QUEUES: 'default' }); // what is in the other queue is for Python
      const worker = (as: string) => {
        const env = { API_URL: api, QUEUES: 'python', INSTANCE: as, PYTHONDONTWRITEBYTECODE: '1' };
        return start('worker.py', { as, interpreter, env });
      };
      const first = worker('first');
      await first.prints('waiting');

      const counted = await post(api, { text: 'to be or not to be' }, { Prefer: 'wait=20' });
      await first.prints('succeeded');
      tell('client', `${counted.status} ${JSON.stringify(counted.result)}`);
      const refused = await post(api, { text: ' ' }, { Prefer: 'wait=20' });
      await first.prints('failed');
      tell('client', `${refused.status} ${refused.error?.code}: ${refused.error?.message}`);

      const { id } = await post(api, { text: 'one two three', pauseMs: 700 });
      await untilBusy(api, 'first');
      const second = worker('second');
      await second.prints('waiting');
      await first.kill();
      await second.prints('succeeded');
      const finished = (await (await fetch(`${api}/v1/jobs/${id}`, { signal: signal() })).json()) as Job;
      const { status, attempt, result, errors } = finished;
      tell('client', `${status} ${JSON.stringify(result)} at attempt ${attempt}, after ${errors[0]?.code}`);
    });
  },
};
