import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { Webhook } from 'standardwebhooks';
import type { Lesson } from '../player/stage.ts';

interface Delivery {
  id: string;
  status: string;
  attempts: object[];
}

const PATIENCE_MS = 20_000;
const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`;

/** Waits until the webhook delivery of the only job `fits`. */
async function delivery(api: string, fits: (delivery: Delivery) => boolean): Promise<Delivery> {
  const { jobs } = (await read(`${api}/v1/jobs`)) as { jobs: { links: { self: string } }[] };
  for (const until = performance.now() + PATIENCE_MS; ;) {
    const { deliveries } = (await read(`${api}${jobs[0]?.links.self}/deliveries`)) as { deliveries: Delivery[] };
    const [found] = deliveries;
    if (found && fits(found)) return found;
    if (performance.now() > until) throw new Error(`the webhook is still ${JSON.stringify(found)}`);
    await setTimeout(50);
  }
}

async function read(url: string): Promise<unknown> {
  return (await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS) })).json();
}

/** Sends a webhook that does not come from Offload, signed in the same way. @returns the status of the answer */
async function send(url: string, { secret, signedAt }: { secret: string; signedAt: Date }): Promise<number> {
  const [id, body] = ['forged', JSON.stringify({ type: 'offload.job.succeeded', data: {} })];
  const headers = {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(signedAt.getTime() / 1_000)),
    'webhook-signature': new Webhook(secret).sign(id, signedAt, body),
  };
  return (await fetch(url, { method: 'POST', headers, body })).status;
}

export const lesson: Lesson = {
  declares: {},

  async play({ sceneWithOwnSystem, start, run, tell, freePort }) {
    const secret = newSecret();
    const port = String(await freePort());
    const url = `http://127.0.0.1:${port}/webhook`;
    const env = {
      WEBHOOK_SECRETS: secret,
      WEBHOOK_RETRY_SECONDS: '1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1', // so that the play is over soon
      ALLOW_PRIVATE_TARGETS: 'true',
    };

    await sceneWithOwnSystem('a webhook is sent again until the receiver answers', env, async ({ api }) => {
      await run('submit', { env: { API_URL: api, WEBHOOK_URL: url } });
      await delivery(api, ({ attempts }) => attempts.length > 0);
      tell('api', 'no receiver answered: the webhook is pending');

      const receive = start('receive', { env: { PORT: port, WEBHOOK_SECRET: secret } });
      await receive.prints('waiting');
      await receive.prints('offload.job.succeeded');
      const { id } = await delivery(api, ({ status }) => status === 'delivered');
      tell('api', 'delivered');

      await fetch(`${api}/v1/deliveries/${id}/redeliver`, { method: 'POST' });
      tell('client', 'requests a redelivery');
      await receive.prints('once more');

      tell('forger', `with another secret: ${await send(url, { secret: newSecret(), signedAt: new Date() })}`);
      await receive.prints('refused');
      const tenMinutesAgo = new Date(Date.now() - 600_000);
      tell(
        'forger',
        `an intercepted webhook, ten minutes later: ${await send(url, { secret, signedAt: tenMinutesAgo })}`,
      );
      await receive.prints('refused');
    });
  },
};
