import type { IncomingHttpHeaders } from 'node:http';
import { webhookBody } from '@offload/jobs/webhooks';
import { cloudEventFaults } from '@offload/spec-kit/contracts';
import { Webhook } from 'standardwebhooks';

/** The contents of a webhook. */
export interface Told {
  type: string;
  subject: string;
  status: string;
  version: number;
  result: unknown;
  error: unknown;
}

/**
 * Reads a webhook as its receiver should.
 *
 * @param secrets the secrets, each of which must verify it
 * @returns its contents and its faults
 */
export function checkWebhook(
  headers: IncomingHttpHeaders,
  body: string,
  secrets: readonly string[],
): { told: Told | null; faults: string[] } {
  const faults: string[] = [];
  for (const [index, secret] of secrets.entries()) {
    try {
      new Webhook(secret).verify(body, headers as Record<string, string>);
    } catch (error) {
      faults.push(`secret ${index + 1}: ${String(error)}`);
    }
  }
  const type = headers['content-type'] ?? '';
  if (!/^application\/cloudevents\+json(;|$)/.test(type)) faults.push(`content type ${type}`);
  try {
    const event: unknown = JSON.parse(body);
    faults.push(...cloudEventFaults(event));
    const { data, ...envelope } = webhookBody.parse(event);
    const { status, version, result, error } = data;
    if (data.id !== envelope.subject) faults.push('its subject is not its job');
    if (envelope.id !== `${data.id}/${version}`) faults.push(`its id is ${envelope.id}`);
    return { told: { type: envelope.type, subject: envelope.subject, status, version, result, error }, faults };
  } catch (error) {
    return { told: null, faults: [...faults, String(error)] };
  }
}
