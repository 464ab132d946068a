import type { Ground } from '../ground/ground.ts';
import { amqplibAlone } from './amqplib-alone.ts';
import { bullmq } from './bullmq.ts';
import { expressAlone } from './express-alone.ts';
import { graphileWorker } from './graphile-worker.ts';
import { offload } from './offload.ts';
import { pgBoss } from './pg-boss.ts';

/** All systems, Offload first. */
export function allSystems(ground: Ground) {
  return {
    offload: offload(ground),
    express: expressAlone(),
    amqplib: amqplibAlone(ground),
    bullmqEverysec: bullmq(ground, 'everysec'),
    bullmqAlways: bullmq(ground, 'always'),
    pgBoss: pgBoss(ground),
    graphile: graphileWorker(ground, 'default'),
    graphileBatched: graphileWorker(ground, 'batched'),
  };
}

/** The systems by key. */
export type Systems = ReturnType<typeof allSystems>;
/** The key of a system. */
export type SystemKey = keyof Systems;
