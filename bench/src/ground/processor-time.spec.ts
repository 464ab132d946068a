import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from '@jest/globals';
import { parseStat, processorTimes, residentMiB, ticksOf } from './processor-time.ts';

it('reads a line of /proc with any process name', () => {
  const line = '42 (a) b (c) S 7 42 42 0 -1 4194560 100 0 0 0 11 22 33 44 20 0 1 0 5 0 0';
  expect(parseStat(line)).toEqual({ pid: 42, parent: 7, ticks: 110 });
});

it('adds the children of a process, and their children', () => {
  const processes = [
    { pid: 1, parent: 0, ticks: 1 },
    { pid: 2, parent: 1, ticks: 10 },
    { pid: 3, parent: 2, ticks: 100 },
    { pid: 4, parent: 9, ticks: 1_000 },
  ];
  expect(ticksOf(1, processes)).toBe(111);
  expect(ticksOf(5, processes)).toBe(0);
});

it('counts the time of an ended child too, and nothing for an unknown process', async () => {
  const before = processorTimes({ us: process.pid }).us;
  const burn = 'while (process.cpuUsage().user < 300_000);';
  await once(spawn(process.execPath, ['-e', burn]), 'exit');
  const { us, none } = processorTimes({ us: process.pid, none: NaN });
  expect(us - before).toBeGreaterThan(250);
  expect(none).toBeNaN();
});

it('reads resident memory', () => {
  expect(residentMiB(process.pid)).toBeGreaterThan(10);
});
