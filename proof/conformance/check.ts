import { setTimeout as delay } from 'node:timers/promises';
import type { Exchange } from '@offload/spec-kit/contracts';
import type { Answer } from './answer.ts';
import { differences } from './compare.ts';
import { fill } from './fill.ts';
import type { Given } from './asked.ts';
import type { Row } from './row.ts';
import { openScene, type OpenScene } from './scene.ts';
import type { World } from './world.ts';

/** Milliseconds after which a row counts as hanging. */
const LIMIT_MS = 20_000;

/** Runs a row. @returns its faults; none means that the rule is met */
export async function check(row: Row, world: World): Promise<string[]> {
  const scene = openScene(world);
  const over = new AbortController();
  const late = delay(LIMIT_MS, [`took longer than ${LIMIT_MS / 1_000} s`], { signal: over.signal }).catch(() => []);
  try {
    const faults = await Promise.race([play(row, scene), late]);
    return [...faults, ...scene.exchanges.filter(isDescribed).flatMap(world.faultsOf)];
  } catch (error) {
    return [(error as Error).message];
  } finally {
    over.abort();
    scene.close();
  }
}

async function play(row: Row, scene: OpenScene): Promise<string[]> {
  if ('run' in row) {
    await row.run(scene);
    return [];
  }
  const values = await valuesOf(row.given, scene);
  if ('request' in row) return differences(await scene.ask(fill(row.request, values)), fill(row.expect, values));

  const octets = fill(row.wire, values);
  const wire = await scene.connect(row.at, octets.startsWith('HEAD '));
  wire.send(octets);
  const answers = await wire.rest();
  if (!row.broken) scene.record(exchangesOf(octets, answers));
  if (answers.length !== row.expect.length) {
    return [`${answers.length} answers instead of ${row.expect.length}: ${answers.map(({ status }) => status)}`];
  }
  return row.expect.flatMap((expected, index) => differences(answers[index] as Answer, fill(expected, values)));
}

async function valuesOf(given: Given | undefined, scene: OpenScene): Promise<Record<string, string>> {
  const { unique } = scene;
  if (!given) return { unique };
  const { id, version } = await scene.job(given);
  return { unique, id, etag: `W/"${version}"` };
}

/** Pairs the requests in the sent bytes with their answers. */
function exchangesOf(octets: string, answers: readonly Answer[]): Exchange[] {
  const lines = [...octets.matchAll(/^([A-Z]+) (\S+) HTTP\/1\.[01]\r$/gm)];
  return answers.flatMap((answer, index) => {
    const [, method = '', target = ''] = lines[index] ?? [];
    return lines[index] ? [{ method, path: target.replace(/^https?:\/\/[^/]*/, ''), ...answer }] : [];
  });
}

/** The contract does not describe the media types of its page's files, nor of parts of them. */
function isDescribed({ path, status }: Exchange): boolean {
  return status >= 400 || !path.startsWith('/docs/');
}
