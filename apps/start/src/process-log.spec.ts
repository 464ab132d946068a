import { expect, it } from '@jest/globals';
import { PassThrough } from 'node:stream';

import { createProcessLog } from './process-log.ts';

it('puts the name of the process before each line, and makes records of pino readable', () => {
  const output = new PassThrough();
  const log = createProcessLog(['api', 'worker-1'], output as unknown as NodeJS.WriteStream);
  const time = new Date(2026, 10, 21, 9, 30, 5, 7).toISOString();
  log('api', JSON.stringify({ level: 'info', time, name: 'api', instance: 'api', port: 3000, msg: 'listening' }));
  log('worker-1', 'Error: plain text\n    at its place');
  log('worker-1', '{ not json');
  expect(String(output.read()).split('\n')).toEqual([
    'api      | [09:30:05.007] INFO: listening {"port":3000}',
    'worker-1 | Error: plain text',
    'worker-1 |     at its place',
    'worker-1 | { not json',
    '',
  ]);
});
