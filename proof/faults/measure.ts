// Runs one measurement of the fault suite alone, in its long form:
//
//   npm run browsers -- [--jobs 1000] [--seed N] [--write]
//   npm run webhooks -- [--jobs 5000] [--seed N] [--write]
//
// In full size, or with --write, it writes its section of docs/reliability.md. It starts its own servers; TEST_SERVERS
// chooses the flavour of RabbitMQ. It exits with 1 and names the faults when there are any.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { measureBrowsers } from './browsers/measure.ts';
import { repository } from '@offload/running-system';
import { measureWebhooks } from './webhooks/measure.ts';
import { layGround } from './ground.ts';
import { describeMachine } from './machine.ts';
import { seedOf, wholeNumber } from './options.ts';
import { LONG, SHORT } from './pace.ts';
import { datedSection } from './report.ts';
import { withSection } from './page-section.ts';

const measurements = { browsers: measureBrowsers, webhooks: measureWebhooks };
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { jobs: { type: 'string' }, seed: { type: 'string' }, write: { type: 'boolean', default: false } },
});
const name = positionals[0] as keyof typeof measurements;
const measure = measurements[name];
if (!measure) throw new TypeError(`which one: ${Object.keys(measurements).join(', ')}?`);
const seed = seedOf(values.seed);
const jobs = values.jobs === undefined ? LONG[name] : wholeNumber('jobs', values.jobs);
// Few jobs end before all faults of the long form have happened.
const pace = { ...(2 * jobs < LONG[name] ? SHORT : LONG), [name]: jobs };

const from = performance.now();
function say(line: string): void {
  process.stdout.write(`${((performance.now() - from) / 1_000).toFixed(1).padStart(7)} s  ${line}\n`);
}

const logs = await mkdtemp(join(tmpdir(), `offload-${name}-`));
const deadline = AbortSignal.timeout(LONG.limitMs);
const ground = await layGround();
const versions = [`Node.js ${process.versions.node}`, ...(await ground.versions())];
say(`${jobs} jobs, seed ${seed}; ${describeMachine()}; ${versions.join(', ')}`);
try {
  const { measured, failures, section } = await measure(ground, pace, { seed, logs, deadline, say });
  say(measured);
  for (const failure of failures) say(`FAILED: ${failure}`);
  if (failures.length > 0) say(`the processes' logs are in ${logs}`);
  else await rm(logs, { recursive: true });
  const file = join(repository, 'docs/reliability.md');
  const layout = { ...(await resolveConfig(file)), parser: 'markdown', proseWrap: 'always' } as const;
  const dated = datedSection(section ?? '', { name, seed, tookMs: performance.now() - from });
  process.stdout.write(`\n${await format(dated, layout)}`);
  if (values.write || values.jobs === undefined) {
    await writeFile(file, await format(withSection(await readFile(file, 'utf8'), dated, 'Faults'), layout));
  }
  process.exitCode = failures.length === 0 ? 0 : 1;
} finally {
  await ground.close();
}
