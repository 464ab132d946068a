import { jobEvent } from '@offload/jobs/events';
import { webhookBody } from '@offload/jobs/webhooks';
import { webhookExample } from './examples.ts';
import { schemaOf, type Json } from '../contract/schemas.ts';

/** Header fields of Standard Webhooks. https://github.com/standard-webhooks/standard-webhooks */
const fields: Record<string, [description: string, schema: Json, example: unknown]> = {
  'webhook-id': [
    "The delivery's id, the same with every attempt: what came before is known by it.",
    { type: 'string', format: 'uuid' },
    '019ac5f8-c65d-7f1b-9a3f-52cf8d7a1e60',
  ],
  'webhook-timestamp': [
    'When this attempt was signed, in seconds since 1970. Refuse what is older than 5 minutes.',
    { type: 'integer' },
    1_795_248_010,
  ],
  'webhook-signature': [
    'One for each secret, separated by spaces: `v1,` and the HMAC-SHA256 of `<webhook-id>.<webhook-timestamp>.<body>` in base64. One that fits is enough.',
    { type: 'string', pattern: '^v1,[A-Za-z0-9+/]{43}=( v1,[A-Za-z0-9+/]{43}=)*$' },
    'v1,iYD1GHVZbeITFyD67AenKCfds3kjI+W/XTg2XRxHVx8=',
  ],
};

const answers: Record<string, string> = {
  '2XX': 'It is delivered. What is in the body does not matter.',
  '410': 'It is not wanted any more: it is given up, and so is all else that is pending there.',
  default:
    'It is not delivered, nor is it when no answer comes within 15 seconds: it is sent again later, not before `Retry-After` says. A redirect is not followed.',
};

/** What Offload sends to receivers, for the document's `webhooks`. */
export function webhooks(): Json {
  const parameters = Object.entries(fields).map(([name, [description, schema, example]]) => {
    return { name, in: 'header', required: true, description, schema, example };
  });
  const content = { [jobEvent.contentType]: { schema: schemaOf(webhookBody, 'output'), example: webhookExample } };
  return {
    jobEnded: {
      post: {
        operationId: 'jobEnded',
        summary: 'A job has ended',
        description:
          'Sent at least once to the `webhook` of the job, and to the configured endpoints that it matches, as a CloudEvent 1.0 in structured mode, signed by Standard Webhooks. The order of different jobs is not kept.',
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
