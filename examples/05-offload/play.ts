import type { Lesson } from '../player/stage.ts';

/** Sends a request, and prints its answer and a rough duration, which is the same in every run. */
async function call(method: 'POST' | 'GET', url: string): Promise<{ location: string | null; told: string }> {
  const startedAt = performance.now();
  const response = await fetch(url, { method });
  const { status } = (await response.json()) as { status: string };
  const seconds = (performance.now() - startedAt) / 1_000;
  // 9.9, because a timer may fire a little early by the clock of another process.
  const duration = seconds < 1 ? 'in under a second' : seconds < 9.9 ? 'before 10 s' : 'after 10 s';
  return {
    location: response.headers.get('location'),
    told: `${method} answered ${response.status} ${duration}: ${status}`,
  };
}

export const lesson: Lesson = {
  declares: { queues: ['reports.wanted'], exchanges: ['reports.written'] },

  async play({ scene, start, tell, freePort }) {
    const ports = { before: String(await freePort()), after: String(await freePort()) };
    const urls = { before: `http://127.0.0.1:${ports.before}`, after: `http://127.0.0.1:${ports.after}` };

    await scene('the same ten seconds, before and after', async () => {
      const before = start('before', { env: { PORT: ports.before } });
      const after = start('after', { env: { PORT: ports.after } });
      const worker = start('worker');
      await before.prints('ready');
      await after.prints('ready');
      await worker.prints('waiting');

      const slow = call('POST', `${urls.before}/reports`);
      const quick = await call('POST', `${urls.after}/reports`);
      tell('client', `after:  ${quick.told}`);
      await worker.prints('writing');
      tell('client', `after:  ${(await call('GET', urls.after + quick.location)).told}`);

      tell('client', `before: ${(await slow).told}`);
      await worker.prints('written');
      await after.prints('come in');
      tell('client', `after:  ${(await call('GET', urls.after + quick.location)).told}`);
    });
  },
};
