// Jest's globalSetup: starts one PostgreSQL and one RabbitMQ for the whole run, even if many projects name this file.
// It uses other servers if TEST_DATABASE_URL, TEST_AMQP_URL and TEST_MANAGEMENT_URL name them.
// tools/test-servers-teardown.mjs stops the servers. If the run is killed, they stop by themselves (see
// test-servers.ts). It sets TEST_SERVERS to their flavour, which `startBroker` of @offload/spec-kit/servers follows.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const root = join(import.meta.dirname, '..');
const program = join(root, 'libs/spec-kit/src/servers/test-servers.ts');
const urls = { databaseUrl: 'TEST_DATABASE_URL', amqpUrl: 'TEST_AMQP_URL', managementUrl: 'TEST_MANAGEMENT_URL' };
const variables = { ...urls, flavour: 'TEST_SERVERS' };

/**
 * Sets the variables for Jest's workers. If a server does not start, the run fails with the program's output.
 *
 * @param jest Jest's configuration. Programs of proof pass none: they measure, so PostgreSQL waits for the disk then.
 */
export default async function setup(jest) {
  if (Object.values(urls).every((name) => process.env[name])) return;
  const options = jest ? ['--no-fsync'] : [];
  const child = spawn(process.execPath, ['--import', 'tsx', '--conditions=@offload/source', program, ...options], {
    cwd: root,
    env: { ...process.env, NODE_OPTIONS: '' }, // Jest's options for ESM would make it warn
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true, // Ctrl-C reaches Jest, and this one through its standard input
  });
  const stop = async () => {
    child.ref();
    const ended = child.exitCode === null && new Promise((resolve) => child.once('exit', resolve));
    child.stdin.end();
    await ended;
  };
  globalThis[Symbol.for('offload.stopTestServers')] = stop;

  let messages = '';
  child.stderr.on('data', (chunk) => (messages += chunk));
  const line = await new Promise((resolve) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('exit', () => resolve(undefined));
  });
  if (line === undefined) throw new Error(`The servers for the tests did not start:\n${messages}`);
  for (const [key, value] of Object.entries(JSON.parse(line))) process.env[variables[key]] = value;
  child.stderr.removeAllListeners('data').resume();
  for (const handle of [child, child.stdin, child.stdout, child.stderr]) handle.unref();
}
