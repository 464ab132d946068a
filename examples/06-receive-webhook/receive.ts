// Receives webhooks: verifies each, remembers it, answers at once, and works afterwards. Copy this one.
import express from 'express';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';
import { z } from 'zod';

const secret = process.env.WEBHOOK_SECRET;
if (!secret) throw new Error('WEBHOOK_SECRET is not set: it is the secret that signs the webhooks');
const webhook = new Webhook(secret);

/** The members of the CloudEvent that this program uses. `data` is the job as `GET /v1/jobs/{id}` shows it. */
const finished = z.object({ type: z.string(), data: z.object({ type: z.string(), payload: z.unknown() }) });

/** Ids of the received webhooks. In production, use a table of your database, so that a restart forgets none. */
const known = new Set<string>();

function work({ type, data }: z.infer<typeof finished>): void {
  console.log(`${type}: ${data.type} ${JSON.stringify(data.payload)}`);
}

const app = express();
// The signature covers the received bytes. Parsing and writing them again would change them, so no parser may run
// before.
app.post('/webhook', express.raw({ type: '*/*', limit: '10mb' }), ({ body, headers }, response) => {
  let event;
  try {
    const bytes = Buffer.isBuffer(body) ? body : ''; // without a body there is no Buffer
    event = finished.parse(webhook.verify(bytes, headers as Record<string, string>));
  } catch (error) {
    if (!(error instanceof WebhookVerificationError)) throw error; // Express answers 500, and Offload sends the webhook again
    console.log(`refused: ${error.message}`); // forged, or older than five minutes
    return void response.sendStatus(400);
  }
  const id = headers['webhook-id'] as string; // the same at each attempt
  const isNew = !known.has(id);
  known.add(id); // in production with the event, before the answer: after a 2xx the webhook is not sent again
  response.sendStatus(204); // at once: after 15 s Offload would send it again
  if (isNew) work(event);
  else console.log('the same once more: nothing to do');
});

const server = app.listen(Number(process.env.PORT ?? 8006), '127.0.0.1');
server.on('listening', () => console.log('waiting for webhooks; Ctrl-C ends'));
process.on('SIGINT', () => server.close().closeAllConnections());
