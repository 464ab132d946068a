// Submits a job with a webhook to the receiver.
const api = process.env.API_URL ?? 'http://127.0.0.1:3000';
const url = process.env.WEBHOOK_URL ?? 'http://127.0.0.1:8006/webhook';

const response = await fetch(`${api}/v1/jobs`, {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify({ type: 'demo.sleep', payload: { seconds: 1 }, webhook: { url } }),
});
const { links, detail } = (await response.json()) as { links?: { self: string }; detail?: string };
console.log(response.status, links?.self ?? detail); // a problem document has no links
