import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';

/** Runs a process with one step that prints `drained`, and with the code of `then`. @returns exit code and output */
async function run(
  then: string,
  signals: readonly NodeJS.Signals[] = [],
  limitMs = 60_000,
  level = 'silent',
): Promise<[code: number | null, said: string]> {
  const program = `
    import { createLogger } from ${JSON.stringify(join(import.meta.dirname, 'logger.ts'))};
    import { handleShutdown } from ${JSON.stringify(join(import.meta.dirname, 'shutdown.ts'))};
    const shutdown = handleShutdown(createLogger('spec', { level: '${level}', instance: 'spec' }), ${limitMs});
    const keepAlive = setInterval(() => undefined, 1_000);
    shutdown.step('drain', () => console.log('drained'));
    ${then}
    console.log('up');`;
  const source = ['--import', 'tsx', '--conditions=@offload/source', '--input-type=module', '-e', program];
  const child = spawn(process.execPath, source, { env: { ...process.env, NODE_OPTIONS: '' } });
  let said = '';
  child.stdout.on('data', (chunk) => {
    const wasUp = said.includes('up');
    said += String(chunk);
    if (!wasUp && said.includes('up')) for (const signal of signals) child.kill(signal);
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return [code, said.replace('up\n', '').trim()];
}

it('runs the steps on SIGTERM or SIGINT, and exits with 0', async () => {
  expect(await Promise.all([run('', ['SIGTERM']), run('', ['SIGINT'])])).toEqual([
    [0, 'drained'],
    [0, 'drained'],
  ]);
});

it('exits at once, without the steps, after an uncaught error', async () => {
  const thrown = `setTimeout(() => { throw new Error('in a callback'); });`;
  const rejected = `setTimeout(() => void Promise.reject(new Error('not awaited')));`;
  expect(await Promise.all([run(thrown), run(rejected)])).toEqual([
    [1, ''],
    [1, ''],
  ]);
});

it.each([
  ['a broker that does not let it in', { message: 'wrong password', code: 'broker-refused' }, ' with this AMQP_URL'],
  ['a queue that is there in another form', { message: 'another type', code: 'topology-mismatch' }, ''],
  ['a database with another encoding', { message: 'needs UTF8', code: 'database-unusable' }, ' with this DATABASE_URL'],
  ['a port that is taken', { message: 'listen EADDRINUSE', code: 'EADDRINUSE', syscall: 'listen' }, ''],
])('says in one line, without a stack, what only its surroundings can mend: %s', async (_what, fault, setting) => {
  const thrown = `Promise.reject(Object.assign(new Error(), ${JSON.stringify(fault)})); await new Promise(() => undefined);`;
  const [code, said] = await run(thrown, [], 60_000, 'fatal');
  expect(code).toBe(1);
  expect(JSON.parse(said)).toMatchObject({
    level: 'fatal',
    msg: `cannot go on${setting}: ${fault.message}`,
    code: fault.code,
  });
  expect(said).not.toContain('stack');
});

it('exits with 1 at once on a second signal, and when a step fails', async () => {
  const stuck = `shutdown.step('stuck', () => new Promise(() => undefined));
    process.on('SIGTERM', () => process.listenerCount('SIGINT') && setImmediate(() => process.kill(process.pid, 'SIGINT')));`;
  const failing = `shutdown.step('failing', () => Promise.reject(new Error('no')));`;
  expect(await Promise.all([run(stuck, ['SIGTERM']), run(failing, ['SIGTERM'])])).toEqual([
    [1, 'drained'],
    [1, 'drained'],
  ]);
});

it('gives the steps their time, also one that is too long for a timer', async () => {
  const slow = `shutdown.step('slow', () => new Promise((resolve) => setTimeout(resolve, 50)));`;
  expect(await run(slow, ['SIGTERM'], 2 ** 31 + 10_000)).toEqual([0, 'drained']);
});
