import { expect, it } from '@jest/globals';
import { format } from 'prettier';
import { SHORT } from './pace.ts';
import { reliabilityPage, scenarioTable, type Report } from './report.ts';
import type { MeasurementResult, ScenarioResult } from './unit.ts';

const passed: ScenarioResult = {
  scenario: { name: 'broker', title: '`kill -9` of RabbitMQ', allowed: ['worker lost', 'given back'] },
  failures: [],
  played: {
    ...{ accepted: 150, keptUnheard: 2, finished: 152, lost: 0, stuck: 0, ranAgain: 3, watched: 6, failures: [] },
    triedAgain: { 'given back': 4 },
    recoveries: [
      { what: 'one', jobs: 2, ms: [1_000, 3_000] },
      { what: 'other', jobs: 0, ms: [2_000] },
    ],
    lateMs: [7, 9],
    refused: { 503: 4 },
  },
};
const failed: ScenarioResult = {
  scenario: { name: 'none', title: 'no fault', allowed: [] },
  failures: ['1 stuck: {"id":"id-1"}'],
};
const measurement: MeasurementResult = {
  name: 'takeover',
  tookMs: 60_000,
  title: 'takeover',
  measured: { measured: '5 kills: 20 ms', goal: 'under 300 ms', failures: [], section: '## Kills\n\nfive' },
  failures: [],
};

it('has a row for each scenario, also for one that could not be played', () => {
  const [, , first, second] = scenarioTable([passed, failed]).split('\n');
  expect(first).toBe(
    '| pass | `kill -9` of RabbitMQ | 150 | 152 (2 without a 202) | 0 | 0 | 3 | 4 given back | worker lost, given back | 2 | 2.0 s | 3.0 s |',
  );
  expect(second).toMatch(/^\| \*\*FAIL\*\* \| no fault \| – \|( – \|)+$/);
  const columns = scenarioTable([passed, failed]).split('\n');
  expect(new Set(columns.map((line) => line.split(' | ').length)).size).toBe(1);
});

it('makes a page that prettier has nothing to add to but its layout, with what failed and how to run it again', async () => {
  const report: Report = {
    ...{
      date: '2026-01-02',
      machine: 'a machine',
      versions: ['Node.js 20'],
      seed: 7,
      short: true,
      pace: SHORT,
      tookMs: 90_000,
    },
    ...{ scenarios: [passed, failed], measurements: [measurement] },
  };
  const page = await format(reliabilityPage(report), { parser: 'markdown', printWidth: 120 });
  expect(await format(page, { parser: 'markdown', printWidth: 120 })).toBe(page);
  expect(page).toContain('`npm run test:faults -- --short --write --seed 7`');
  expect(page).toContain('- no fault: 1 stuck: {"id":"id-1"}');
  expect(page).toContain('- `kill -9` of RabbitMQ: 4 × 503');
  expect(page).toContain('## Kills\n\nfive\n\n(2026-01-02, 1.0 minutes; to repeat: `npm run takeover -- --seed 7`)\n');
  expect(page).toMatch(/\| pass +\| takeover +\| 5 kills: 20 ms/);
});
