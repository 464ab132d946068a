import { setTimeout as delay } from 'node:timers/promises';
import { dispatched } from './audit.ts';
import type { Fault, Scene } from './fault.ts';
import { oneOf } from './random.ts';
import { sql, withClient } from '@offload/running-system';

/** Posts more jobs than the workers run at once, so that a broker has dispatch messages to lose. @returns their jobs */
async function pileUp({ load, pace, databaseUrl }: Scene): Promise<number[]> {
  await load.burst(pace.burst);
  return dispatched(databaseUrl);
}

/** Kills RabbitMQ and starts it again. */
export const killBroker: Fault = async (scene) => {
  const { broker, strike } = scene;
  const dispatches = await pileUp(scene);
  strike(`kill -9 of RabbitMQ, which had ${dispatches.length} dispatch messages`, dispatches);
  await broker.kill();
  await broker.start();
};

/** Kills RabbitMQ and starts it without its data. */
export const wipeBroker: Fault = async (scene) => {
  const { broker, strike } = scene;
  const dispatches = await pileUp(scene);
  strike(`RabbitMQ wiped, which had ${dispatches.length} dispatch messages`, dispatches);
  await broker.wipe();
};

/** Kills a worker together with the broker's data, so that no dispatch message of its jobs is left. */
export const wipeBrokerAndKillWorker: Fault = async (scene) => {
  const { broker, fleet, random, strike } = scene;
  const place = oneOf(
    random,
    fleet.of('worker').filter(({ process }) => process),
  );
  const dispatches = await pileUp(scene);
  strike(`RabbitMQ wiped, which had ${dispatches.length} dispatch messages, and kill -9 of ${place.name}`, dispatches);
  const killed = fleet.end(place, 'SIGKILL');
  await broker.wipe();
  await killed;
  await fleet.fill(place);
};

/** https://www.rabbitmq.com/docs/memory: publishers are blocked on every connection. */
export const alarmBroker: Fault = async ({ broker, pace, strike }) => {
  const before = await broker.control('eval', 'vm_memory_monitor:get_vm_memory_high_watermark().');
  const [, fraction] = /([\d.]+)/.exec(before) ?? [];
  await broker.control('set_vm_memory_high_watermark', 'absolute', '1MB');
  strike("RabbitMQ's memory alarm");
  try {
    await delay(pace.alarmMs);
  } finally {
    await broker.control('set_vm_memory_high_watermark', fraction ?? '0.4');
  }
};

/** Ends PostgreSQL like a crash: every process ends at once, and the next start recovers. */
export const restartPostgres: Fault = async ({ postgres, strike }) => {
  strike('PostgreSQL restarted in immediate mode');
  await postgres.restart('immediate');
};

/** Terminates all connections to the database. */
export const terminateConnections: Fault = async ({ postgres, databaseUrl, strike }) => {
  const database = new URL(databaseUrl).pathname.slice(1);
  const terminate = 'select pg_terminate_backend(pid) from pg_stat_activity where datname = $1';
  const terminated = await sql(postgres.url, terminate, [database]);
  strike(`${terminated.length} connections to the database terminated`);
};

/** Locks the table of jobs, so that soon every connection of every pool waits. */
export const exhaustPools: Fault = async ({ databaseUrl, pace, strike }) => {
  await withClient(databaseUrl, async (client) => {
    await client.query('begin');
    strike('the table of jobs locked: every pool used up');
    await client.query('lock table jobs in access exclusive mode');
    await delay(pace.lockMs);
    await client.query('rollback');
  });
};
