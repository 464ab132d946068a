import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { connect } from 'amqplib';
import { removeDataFolder, startEmbeddedRabbitmq, type EmbeddedRabbitmq } from '@offload/embedded-servers';
import { eventually } from '@offload/spec-kit';

const page = readFileSync(join(import.meta.dirname, '../../docs/broker-by-hand.md'), 'utf8');
/** Of every block of commands, unless a comment above it says that it is not tested. */
const commands = [...page.matchAll(/(<!-- not tested: [^>]+ -->\n\n)?```console\n([^`]*)```/g)].flatMap(
  ([, untested, block = '']) =>
    untested ? [] : block.split('\n').flatMap((line) => line.match(/^\$ (.*)$/)?.[1] ?? []),
);

const COUNTED = 'rabbitmqctl list_queues name messages';
const folder = mkdtempSync(join(tmpdir(), 'offload-by-hand-'));
let server: EmbeddedRabbitmq;

/** The programs that the page calls, for the broker of this test. */
beforeAll(async () => {
  server = await startEmbeddedRabbitmq({ dataDir: folder, stopGraceMs: 0, log: () => {} });
  const programs = join(folder, 'bin');
  mkdirSync(programs);
  symlinkSync(join(folder, 'rabbitmqctl'), join(programs, 'rabbitmqctl'));
  for (const name of ['rabbitmq-plugins', 'rabbitmq-diagnostics']) {
    const script = readFileSync(join(folder, 'rabbitmqctl'), 'utf8').replace(
      /rabbitmqctl' "\$@"\n$/,
      `${name}' "$@"\n`,
    );
    writeFileSync(join(programs, name), script, { mode: 0o700 });
  }
});

afterAll(async () => {
  await server.stop();
  await removeDataFolder(folder);
});

/** @returns what the command prints; rejects when it fails */
async function run(command: string): Promise<string> {
  const PATH = [join(folder, 'bin'), process.env['PATH']].join(delimiter);
  return (await promisify(execFile)('sh', ['-c', command], { env: { ...process.env, PATH } })).stdout;
}

it('is a page whose commands work, in their order, and whose facts hold', async () => {
  const connection = await connect(server.amqpUrl);
  connection.on('error', () => {}); // it ends with stop_app
  const channel = await connection.createConfirmChannel();
  await channel.assertQueue('hello', { durable: true, arguments: { 'x-queue-type': 'quorum' } });
  channel.sendToQueue('hello', Buffer.from('kept'), { persistent: true });
  await channel.waitForConfirms();

  const refused = await connection.createChannel();
  const closed = new Promise((resolve) => refused.once('error', resolve));
  await expect(refused.assertQueue('hello', { durable: false })).rejects.toThrow(/406 \(PRECONDITION-FAILED\)/);
  expect(String(await closed)).toContain("inequivalent arg 'durable' for queue 'hello' in vhost '/'");

  const printed: Record<string, string> = {};
  for (const command of commands) {
    // The quorum queue counts its message again some seconds after the restart.
    if (command === COUNTED) await eventually(async () => expect(await run(COUNTED)).toMatch(/^hello\s+1$/m));
    printed[command] = await run(command);
  }
  expect(printed['rabbitmqctl list_user_permissions alice']).toContain('^(hello|amq\\.default)$');
  expect(printed['rabbitmqctl list_users']).toMatch(/alice\s+\[monitoring\]/);
  expect(printed['rabbitmqctl list_queues name members online leader']).toMatch(/^hello\s.*offload@localhost/m);
});
