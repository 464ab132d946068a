import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { queueName } from '@offload/contracts';
import { commonVariables, flag, integer, list, port } from '@offload/runtime';
import { z } from 'zod';

/** The worker's part of .env.example. */
export const configSchema = z.object({
  ...commonVariables,
  /** A file: the authority that signed the broker's certificate, for `amqps:`. Becomes what is in it. */
  AMQP_CA_FILE: z.string().transform(readCertificate).optional(),
  /** For health and metrics only. */
  WORKER_PORT: port(3200),
  /** Jobs that run at once, of each queue. */
  WORKER_CONCURRENCY: integer(10, 1, 1_000),
  /** Queues that are worked on. */
  QUEUES: list('default', queueName),
  /** Whether `http.request` and `csv.profile` may reach loopback and private addresses. */
  ALLOW_PRIVATE_TARGETS: flag(false),
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
