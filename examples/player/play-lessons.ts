// `npm run examples [-- 03-durable ...]`: plays the lessons, and compares their output with `expected.txt`. It starts a
// broker of its own and removes it at the end, or uses the broker at AMQP_URL. There it leaves nothing behind, and
// omits scenes that restart or manage the broker.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { diffLinesUnified } from 'jest-diff';
import { missing, remove } from './footprint.ts';
import { startOwnBroker, type OwnBroker } from './own-broker.ts';
import { ownPostgres } from './own-postgres.ts';
import { createStage, type Lesson } from './stage.ts';
import { withoutScenes } from './transcript.ts';

const examples = join(import.meta.dirname, '..');
const theirUrl = process.env.AMQP_URL || undefined;
const GIVE_UP_MS = 3_000;
const NAME_WIDTH = 23;

const say = (line: string): void => void process.stdout.write(`${line.trimEnd()}\n`);
const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    interruption.abort(new Error('interrupted'));
    setTimeout(() => process.exit(130), GIVE_UP_MS).unref();
  });
}

const postgres = ownPostgres(interruption.signal);

/** @returns the faults, line by line */
async function play(name: string, ownBroker: OwnBroker | undefined): Promise<string[]> {
  const url = ownBroker?.url ?? (theirUrl as string);
  const { lesson } = (await import(`../${name}/play.ts`)) as { lesson: Lesson };
  const made = await missing(url, lesson.declares);
  const { stage, transcript, leftOut } = createStage({
    folder: `examples/${name}`,
    url,
    ownBroker,
    ownPostgres: postgres,
    abort: interruption.signal,
    say,
  });
  const failures: string[] = [];
  const failed = (error: Error): void => void failures.push(...error.message.split('\n'));
  await lesson.play(stage).catch(failed);
  await remove(url, made).catch(failed);
  for (const title of leftOut) say(`        ${name}: omitted on the broker at AMQP_URL: ${title}`);
  const expected = withoutScenes(readFileSync(join(examples, name, 'expected.txt'), 'utf8'), leftOut);
  if (expected.join('\n') !== transcript.lines.join('\n')) {
    failures.push(...diffLinesUnified([...expected], [...transcript.lines]).split('\n'));
  }
  return failures;
}

function chosen(wanted: readonly string[]): string[] {
  const names = readdirSync(examples).filter((name) => existsSync(join(examples, name, 'play.ts')));
  const unknown = wanted.filter((name) => !names.includes(name));
  if (unknown.length > 0) throw new Error(`there is no ${unknown.join(', ')}, only ${names.join(', ')}`);
  return wanted.length > 0 ? [...wanted] : names;
}

let [passed, failed] = [0, 0];
let ownBroker: OwnBroker | undefined;
try {
  const names = chosen(process.argv.slice(2));
  if (theirUrl === undefined) ownBroker = await startOwnBroker(say);
  for (const name of names) {
    const startedAt = performance.now();
    const faults = await play(name, ownBroker).catch((error: Error) => [error.message]);
    if (interruption.signal.aborted) throw interruption.signal.reason;
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
    say(`${faults.length === 0 ? 'ok    ' : 'FAILED'}  ${name.padEnd(NAME_WIDTH)} ${seconds.padStart(4)} s`);
    for (const fault of faults) say(`        ${fault}`);
    if (faults.length === 0) passed += 1;
    else failed += 1;
  }
} catch (error) {
  say((error as Error).message);
  failed += 1;
} finally {
  await postgres.remove();
  await ownBroker?.remove();
}
say(`${passed} passed, ${failed} failed`);
process.exit(interruption.signal.aborted ? 130 : Math.min(failed, 1));
