import { jobEvent } from '@offload/jobs/events';
import { webhookBody } from '@offload/jobs/webhooks';
import { webhookExample } from './examples.ts';
import { schemaOf, type Json } from '../contract/schemas.ts';

/** Header fields of Standard Webhooks. https://github.com/standard-webhooks/standard-webhooks */
const fields: Record<string, [description: string, schema: Json, example: unknown]> = {
  'webhook-id': [
    "The webhook delivery's id, the same for every attempt: a receiver recognises repetitions by it.",
    { type: 'string', format: 'uuid' },
    '019ac5f8-c65d-7f1b-9a3f-52cf8d7a1e60',
  ],
  'webhook-timestamp': [
    'When the notifier signed this attempt, in seconds since 1970. Refuse an attempt that is older than 5 minutes.',
    { type: 'integer' },
    1_795_248_010,
  ],
  'webhook-signature': [
    'A signature for each secret, separated by spaces: `v1,` and the HMAC-SHA256 of `<webhook-id>.<webhook-timestamp>.<body>` in base64. One valid signature is enough.',
    { type: 'string', pattern: '^v1,[A-Za-z0-9+/]{43}=( v1,[A-Za-z0-9+/]{43}=)*$' },
    'v1,iYD1GHVZbeITFyD67AenKCfds3kjI+W/XTg2XRxHVx8=',
  ],
};

const answers: Record<string, string> = {
  '2XX': 'The webhook is delivered. The notifier ignores the body.',
  '410': 'The receiver wants no more webhooks: the notifier gives up all that are pending for it.',
  default:
    'The webhook is not delivered: the notifier sends it again later, not before `Retry-After`. The same holds when no answer comes within 15 seconds. The notifier follows no redirects.',
};

/** The requests that notifiers send to receivers, for the document's `webhooks`. */
export function webhooks(): Json {
  const parameters = Object.entries(fields).map(([name, [description, schema, example]]) => {
    return { name, in: 'header', required: true, description, schema, example };
  });
  const content = { [jobEvent.contentType]: { schema: schemaOf(webhookBody, 'output'), example: webhookExample } };
  return {
    jobEnded: {
      post: {
        operationId: 'jobEnded',
        summary: 'A job has finished',
        description:
          'A notifier sends the request at least once to the `webhook` of the job, and to each configured endpoint that the job matches. The body is a CloudEvent 1.0 in structured mode, signed by Standard Webhooks. Webhooks of different jobs may arrive in any order.',
        tags: ['webhooks'],
        parameters,
        requestBody: { required: true, content },
        responses: Object.fromEntries(
          Object.entries(answers).map(([status, description]) => [status, { description }]),
        ),
      },
    },
  };
}
