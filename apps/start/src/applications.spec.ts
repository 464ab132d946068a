import { expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer } from 'node:net';

import { applicationsOf, portFaults, type ApplicationKind } from './applications.ts';
import { freePort } from '@offload/child-processes';

const worker: ApplicationKind = { kind: 'worker', main: 'main.ts', portVariable: 'WORKER_PORT', port: 3200, count: 2 };
const api: ApplicationKind = { kind: 'api', main: 'main.ts', portVariable: 'API_PORT', port: 3000, count: 1 };

it('numbers the ports of a kind from the port in its variable', () => {
  const names = applicationsOf([api, worker], { WORKER_PORT: '4000' }).map(({ name, url }) => `${name} ${url}`);
  expect(names).toEqual([
    'api http://127.0.0.1:3000',
    'worker-1 http://127.0.0.1:4000',
    'worker-2 http://127.0.0.1:4001',
  ]);
  expect(() => applicationsOf([api], { API_PORT: 'http' })).toThrow('API_PORT must be a whole number');
});

it('gives each worker its queue, if it has one', () => {
  const queues = ['documents', undefined];
  expect(applicationsOf([{ ...worker, queues }], {}).map((each) => each.queues)).toEqual(queues);
  expect(applicationsOf([worker], {}).map((each) => each.queues)).toEqual([undefined, undefined]);
});

it('names each port that is taken or used twice, and the variable that changes it', async () => {
  const port = await freePort();
  const other = createServer().listen(port, '127.0.0.1');
  await once(other, 'listening');
  const taken = String(port);
  expect(await portFaults(applicationsOf([api], { API_PORT: taken }))).toEqual([
    `port ${port} of api is taken: set API_PORT to another one`,
  ]);
  other.close();
  await once(other, 'close');
  expect(await portFaults(applicationsOf([api, worker], { API_PORT: taken, WORKER_PORT: taken }))).toEqual([
    `port ${port} is wanted by both api and worker-1: set WORKER_PORT to another one`,
  ]);
});
