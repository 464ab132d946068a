// Receives webhooks: verifies each, remembers it, answers at once, and does its work after. This is the one to copy.
import express from 'express';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';
import { z } from 'zod';

const secret = process.env.WEBHOOK_SECRET;
if (!secret) throw new Error('WEBHOOK_SECRET is not set: the secret that Offload signs webhooks with');
const webhook = new Webhook(secret);

/** Of a CloudEvent, what is of use here; `data` is the job as `GET /v1/jobs/{id}` shows it. */
const finished = z.object({ type: z.string(), data: z.object({ type: z.string(), payload: z.unknown() }) });

/** Ids of what has come. In memory here; in life a table of your database, so that a restart forgets nothing. */
const known = new Set<string>();

function work({ type, data }: z.infer<typeof finished>): void {
  console.log(`${type}: ${data.type} ${JSON.stringify(data.payload)}`);
}

const app = express();
// The signature is over the bytes as they came. Parsed and written again they are others, so nothing may parse them before.
app.post('/webhook', express.raw({ type: '*/*', limit: '10mb' }), ({ body, headers }, response) => {
  let event;
  try {
    const bytes = Buffer.isBuffer(body) ? body : ''; // there is no Buffer where there was no body
    event = finished.parse(webhook.verify(bytes, headers as Record<string, string>));
  } catch (error) {
    if (!(error instanceof WebhookVerificationError)) throw error; // Express answers 500, and the webhook comes again
    console.log(`refused: ${error.message}`); // forged, or older than five minutes
    return void response.sendStatus(400);
  }
  const id = headers['webhook-id'] as string; // the same however often it comes
  const isNew = !known.has(id);
  known.add(id); // in life with the event, before the answer: what was answered with 2xx does not come again by itself
  response.sendStatus(204); // at once: whoever takes longer than 15 s gets it again
  if (isNew) work(event);
  else console.log('the same once more: nothing to do');
});

const server = app.listen(Number(process.env.PORT ?? 8006), '127.0.0.1');
server.on('listening', () => console.log('waiting for webhooks; Ctrl-C ends'));
process.on('SIGINT', () => server.close().closeAllConnections());
