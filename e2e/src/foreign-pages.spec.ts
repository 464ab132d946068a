import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startBrowser } from '@offload/spec-kit/servers';
import { startSystem, type System, type SystemProcess } from '@offload/running-system';

type Browser = Awaited<ReturnType<typeof startBrowser>>;

/** A name that Chromium resolves to 127.0.0.1, as the name server of an attacker would. */
const REBOUND = 'rebound.example';

let system: System;
let processes: Record<'api' | 'notifier' | 'worker', SystemProcess>;
let browser: Browser;

beforeAll(async () => {
  system = await startSystem();
  const [api, notifier, worker] = await Promise.all([system.startApi(), system.startNotifier(), system.startWorker()]);
  processes = { api, notifier, worker };
  browser = await startBrowser(() => undefined, undefined, [
    `--host-resolver-rules=MAP ${REBOUND} 127.0.0.1`,
    // Newer Chromiums ask the person first. Others don't, so the system must not rely on it.
    '--disable-features=LocalNetworkAccessChecks',
  ]);
}, 300_000);

afterAll(async () => {
  await browser?.close();
  await system?.stop();
});

/** Opens a page of `origin`, whose name may lead to another server now. */
async function openPage(origin: string) {
  const page = await browser.newPage();
  await page.route(`${origin}/page`, (route) => route.fulfill({ contentType: 'text/html', body: '<p>page</p>' }));
  await page.goto(`${origin}/page`);
  return page;
}

/** Sends a request from a page of this origin, with and without reading the answer. */
async function sendFrom(origin: string, url: string, method = 'GET'): Promise<unknown[]> {
  const page = await openPage(origin);
  try {
    return await page.evaluate(
      ([url, method]) =>
        Promise.all(
          (['no-cors', 'cors'] as const).map((mode) =>
            fetch(url, { method, mode }).then(
              ({ status }) => status,
              (error: Error) => error.name,
            ),
          ),
        ),
      [url, method] as const,
    );
  } finally {
    await page.close();
  }
}

async function submitted(): Promise<{ id: string; status: string }> {
  const response = await fetch(`${processes.api.url}/v1/jobs`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ type: 'demo.sleep', payload: { seconds: 1 }, delayMs: 3_600_000 }),
  });
  return (await response.json()) as { id: string; status: string };
}

async function statusOf(id: string): Promise<string> {
  return ((await (await fetch(`${processes.api.url}/v1/jobs/${id}`)).json()) as { status: string }).status;
}

it('lets no page of another origin cancel a job, with or without reading the answer', async () => {
  const { id } = await submitted();
  const url = `${processes.api.url}/v1/jobs/${id}/cancel`;
  for (const origin of ['http://127.0.0.1:9', 'http://localhost:9', 'https://evil.example', `http://${REBOUND}:9`]) {
    expect([origin, await sendFrom(origin, url, 'POST')]).toEqual([origin, ['TypeError', 'TypeError']]);
    expect([origin, await statusOf(id)]).toEqual([origin, 'scheduled']);
  }
});

it('refuses a page whose name was rebound to this machine: api, notifier and the health of the worker', async () => {
  const { id } = await submitted();
  const calls = [
    [processes.api, `/v1/jobs/${id}`],
    [processes.api, `/v1/jobs/${id}/cancel`, 'POST'],
    [processes.notifier, '/v1/events'],
    [processes.worker, '/metrics'],
  ] as const;
  for (const [{ url }, path, method] of calls) {
    const origin = `http://${REBOUND}:${new URL(url).port}`;
    expect([path, await sendFrom(origin, origin + path, method)]).toEqual([path, [421, 421]]);
  }
  expect(await statusOf(id)).toBe('scheduled');
});

it('serves its own pages, also through a link from elsewhere', async () => {
  const own = processes.api.url;
  expect(await sendFrom(own, `${own}/v1/job-types`)).toEqual([200, 200]);
  const page = await openPage('https://elsewhere.example');
  const followed = page.waitForResponse(`${own}/docs`);
  await page.evaluate(`location.href = '${own}/docs'`);
  expect((await followed).status()).toBe(200);
  await page.close();
});
