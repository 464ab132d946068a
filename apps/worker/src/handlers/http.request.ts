import type { JobDefinitions } from '@offload/jobs/job-types';
import type { Handler } from '@offload/worker';
import { describeRequest, outboundFailure, statusFailure } from './http-failure.ts';

/** Longest body that a result keeps, in bytes (1 MiB); a longer one is a permanent failure. */
const MAX_BODY_BYTES = 1_048_576;

/**
 * Sends the request and returns the answer. Decodes its body to text by the charset of `content-type`, or as UTF-8 if
 * the charset is missing or unknown. Bytes that do not decode become U+FFFD.
 *
 * A status in `acceptStatus` (any 2xx by default) is success. After 5xx, 429 and network faults the job is retried, not
 * before `Retry-After`. All other faults are permanent: other statuses, refused targets, headers that cannot be sent,
 * unknown or broken content codings, and heads and bodies over the limit. The handler does not follow redirects. Only
 * the job's own timeout limits the duration.
 *
 * A POST or PATCH has the job's idempotency key, unless the payload has a key. So a target that accepts such keys
 * carries out a repeated request once (https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/).
 */
export const httpRequest: Handler<JobDefinitions['httpRequest']> = async (payload, context) => {
  const { url, method, body, acceptStatus } = payload;
  const { outbound, signal } = context;
  const headers = withIdempotencyKey(payload, context.idempotencyKey);
  const accepted = (status: number) => acceptStatus?.includes(status) ?? (status >= 200 && status < 300);
  const request = { url, method, headers, body, signal, timeoutMs: 0, maxBytes: MAX_BODY_BYTES };
  try {
    return await outbound.request(request, async (response) => {
      if (!accepted(response.status)) {
        throw statusFailure(describeRequest(method, url), response.status, response.headers);
      }
      const bytes = await response.bytes();
      const { status, headers, setCookie } = response;
      const body = decoderFor(headers['content-type']).decode(bytes);
      return { status, headers, ...(setCookie.length > 0 && { setCookie }), body };
    });
  } catch (error) {
    throw outboundFailure(error);
  }
};

/** The key in the draft's syntax: a string of RFC 8941, in quotes. */
function withIdempotencyKey({ method, headers }: { method: string; headers: Record<string, string> }, key: string) {
  const isGiven = Object.keys(headers).some((name) => name.toLowerCase() === 'idempotency-key');
  return isGiven || !['POST', 'PATCH'].includes(method) ? headers : { ...headers, 'idempotency-key': `"${key}"` };
}

function decoderFor(contentType = '') {
  const [, charset = 'utf-8'] = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(contentType) ?? [];
  try {
    return new TextDecoder(charset);
  } catch {
    return new TextDecoder(); // The charset is unknown here; the result has the header for clients that know it.
  }
}
