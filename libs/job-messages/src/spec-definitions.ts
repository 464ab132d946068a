import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { jobTopology } from './topology.ts';

const SCRIPT = join(import.meta.dirname, '../../../deploy/rabbitmq/render-definitions.mjs');
export const QUEUES = ['default', 'mail.eu'];
export const topology = jobTopology(QUEUES);

/** Passwords in the percent-encoding of a URL. */
export const passwords = {
  operator: 'plain',
  api: 'p%40ss%2Fword:%20100%25',
  worker: 'w',
  notifier: 'n%3F',
  doctor: 'd',
};
export type User = keyof typeof passwords;
export const variables = Object.fromEntries(
  Object.entries(passwords).map(([user, password]) => [`RABBITMQ_${user.toUpperCase()}_PASSWORD`, password]),
);

/** @param file where the script writes the definitions @default standard output */
export function render(environment: Record<string, string>, file?: string) {
  return spawnSync(process.execPath, file === undefined ? [SCRIPT] : [SCRIPT, file], {
    env: environment,
    encoding: 'utf8',
  });
}
