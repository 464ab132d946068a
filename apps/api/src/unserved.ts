import type { JobDefinition } from '@offload/jobs/definitions';
import { jobDefinitions } from '@offload/jobs/job-types';

export interface UnservedParts {
  /** QUEUES of this api. */
  queues: readonly string[];
  /** Queues that MAX_BACKLOG names. */
  bounded: readonly string[];
  /** @default every job type */
  definitions?: readonly JobDefinition[];
}

/** Finds job types and bounds whose queue QUEUES does not name. @returns a sentence for the log about each */
export function unservedBy({ queues, bounded, definitions = Object.values(jobDefinitions) }: UnservedParts): string[] {
  const homeless = definitions.filter(({ policy }) => !queues.includes(policy.queue));
  const unknown = bounded.filter((queue) => !queues.includes(queue));
  return [
    ...homeless.map(
      ({ type, policy }) =>
        `jobs of type ${type} are refused unless they name another queue: QUEUES does not name their own, "${policy.queue}"`,
    ),
    ...unknown.map((queue) => `MAX_BACKLOG has a bound for the queue "${queue}", which QUEUES does not name`),
  ];
}

/**
 * RabbitMQ's quorum queues have priorities from 4.0 on. https://www.rabbitmq.com/docs/quorum-queues#priorities
 *
 * @param version the broker's; undefined before it is known
 * @returns null where the version is not known
 */
export function obeysPriorities(version: string | undefined): boolean | null {
  const major = Number.parseInt(version ?? '', 10);
  return Number.isNaN(major) ? null : major >= 4;
}
