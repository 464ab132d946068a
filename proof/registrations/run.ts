// Measures job types that come and change while jobs are accepted, and jobs that are submitted by SQL:
//
//   npm run registrations
//
// It uses two apis and workers of its own, on the servers of TEST_DATABASE_URL, TEST_AMQP_URL and TEST_MANAGEMENT_URL,
// or else on new ones. It prints a table, and exits with 1 when a figure misses its bound. It takes about two minutes.
import { startSystem, withTestServers } from '@offload/running-system';
import { startLoad } from './load.ts';
import { lostRegistrations, newTypes, refusedWorker, twoVersions } from './types.ts';
import { committed, manyAtOnce, rolledBack } from './from-sql.ts';

await withTestServers(async () => {
  const system = await startSystem();
  try {
    const apis = await Promise.all([system.startApi(), system.startApi()]);
    await system.startWorker({ WORKER_CONCURRENCY: '50' });
    const ground = { system, apis };
    const load = startLoad(apis, { type: 'demo.echo', payload: {} });
    await newTypes(ground);
    await twoVersions(ground);
    await refusedWorker(ground);
    await load.stop();
    await lostRegistrations(ground);
    for (const measure of [rolledBack, committed, manyAtOnce]) await measure(ground);
  } finally {
    await system.stop();
  }
});
