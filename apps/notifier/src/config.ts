import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { baseUrl, commonVariables, port } from '@offload/runtime';
import { z } from 'zod';

/** The notifier's part of .env.example. */
export const configSchema = z.object({
  ...commonVariables,
  /** A file: the authority that signed the broker's certificate, for `amqps:`. Becomes what is in it. */
  AMQP_CA_FILE: z.string().transform(readCertificate).optional(),
  NOTIFIER_PORT: port(3100),
  /** Where browsers reach the notifiers; begins `links.events` of every job. */
  NOTIFIER_URL: baseUrl('http://127.0.0.1:3100'),
});

/** Certificates in PEM; a file that can't be read or holds none is a fault. */
function readCertificate(file: string, context: z.RefinementCtx<string>): string {
  try {
    const pem = readFileSync(file, 'utf8');
    new X509Certificate(pem); // of several the first
    return pem;
  } catch (error) {
    context.addIssue(`must be a readable PEM file of certificates: ${(error as Error).message}`);
    return z.NEVER;
  }
}
