import { createHash } from 'node:crypto';
import type { Page } from 'playwright-core';
import type { Lesson } from '../player/stage.ts';

const key = 'ofl_as-npm-run-api-key-would-have-made-it';
const hash = createHash('sha256').update(key).digest('hex');

async function barGrows(page: Page): Promise<void> {
  await page.waitForFunction("document.querySelector('progress').value > 0");
}

/** Records the page's requests to the api from now on. */
function callsOf(page: Page, api: string): string[] {
  const calls: string[] = [];
  page.on('request', (request) => request.url().startsWith(api) && calls.push(request.url()));
  return calls;
}

export const lesson: Lesson = {
  declares: {},

  async play({ sceneWithOwnSystem, start, open, tell, freePort }) {
    const port = String(await freePort());
    const origin = `http://127.0.0.1:${port}`;

    /** Serves the page, opens it, and starts a job. */
    async function offload(api: string, seconds: number): Promise<Page> {
      await start('serve', { env: { PORT: port } }).prints('ready');
      const page = await open(`${origin}/?api=${api}`);
      await page.getByLabel('Seconds').fill(String(seconds));
      await page.getByRole('button').click();
      return page;
    }

    await sceneWithOwnSystem(
      'the bar follows the job; its notifier is killed meanwhile',
      { CORS_ORIGINS: origin },
      async ({ api, restart }) => {
        const page = await offload(api, 6);
        await barGrows(page);
        tell('browser', 'the bar grows');
        const calls = callsOf(page, api);
        await Promise.all([page.getByText('The stream broke').waitFor(), restart('notifier')]);
        tell('notifier', '(killed, and started again)');
        await page.getByText('succeeded').waitFor();
        tell('browser', `has opened the stream again by itself: the page has called the api ${calls.length} times`);
        const { sleptMs } = JSON.parse(await page.locator('pre').innerText()) as { sleptMs: number };
        tell('browser', `succeeded, and slept for ${Math.round(sleptMs / 1_000)} s`);
        tell('browser', `the bar is at ${await page.locator('progress').getAttribute('value')} %`);
      },
    );

    await sceneWithOwnSystem(
      'the same with a key; its token is made worthless meanwhile',
      { CORS_ORIGINS: origin, API_KEYS: `page:submit+read+manage:${hash}`, EVENT_TOKEN_SECRET: 'before'.repeat(6) },
      async ({ api, restart }) => {
        const page = await offload(api, 100);
        await page.getByLabel('API key').fill(key);
        tell('browser', await page.getByRole('status').innerText());
        const [submitted, token] = await Promise.all([
          page.waitForResponse(`${api}/v1/jobs`),
          page.waitForResponse(`${api}/v1/event-tokens`),
          page.getByRole('button').click(),
        ]);
        const { links } = (await submitted.json()) as { links: { self: string } };
        tell('browser', `the api gives it a token: ${token.status()}`);
        await barGrows(page);
        tell('browser', 'the bar grows');

        const replaced = { EVENT_TOKEN_SECRET: 'after'.repeat(7) };
        const [another] = await Promise.all([
          page.waitForResponse(`${api}/v1/event-tokens`, { timeout: 60_000 }),
          restart('api', replaced).then(() => restart('notifier', replaced)),
        ]);
        tell('both', '(killed, and started again with another secret: no token from before is good any more)');
        tell('browser', `the api gives it another one: ${another.status()}`);
        await fetch(`${api}${links.self}/cancel`, { method: 'POST', headers: { authorization: `Bearer ${key}` } });
        await page.getByText('cancelled').waitFor();
        tell('browser', 'cancelled by another client');
      },
    );
  },
};
