import { type Environment, startSystem } from '@offload/running-system';
import { startFleet, type Fleet, type Kind } from './fleet.ts';
import type { Ground } from './ground.ts';

/** A running system. */
export interface OpenFleet {
  readonly fleet: Fleet;
  readonly databaseUrl: string;
}

/** Starts a system of these processes on the prepared servers, without jobs. All of them get `environment`. */
export async function openFleet(
  ground: Ground,
  count: Readonly<Record<Kind, number>>,
  environment: Environment,
): Promise<OpenFleet> {
  const databaseUrl = await ground.prepare();
  const system = await startSystem({ databaseUrl, amqpUrl: ground.broker.amqpUrl });
  try {
    const fleet = await startFleet(system, { count, cuttable: [], environment: () => environment });
    return { fleet, databaseUrl };
  } catch (error) {
    await system.stop();
    throw error;
  }
}
