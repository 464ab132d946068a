import {
  jobPage,
  jobsTaken,
  jobTypeInfo,
  jobTypeList,
  jobWithLinks,
  problem,
  queueList,
  workerInfo,
  workerList,
} from '@offload/jobs/answers';
import { jobBatch, jobSubmission } from '@offload/jobs/submissions';
import { webhookBody, webhookDelivery, webhookDeliveryList } from '@offload/jobs/webhooks';
import { z } from 'zod';

export type Json = Record<string, unknown>;
type Direction = 'input' | 'output';

/** The same as {@link jobBatch}. The api parses the entries of that one by one, so that faults have their index. */
export const jobBatchOf = jobBatch.extend({ jobs: z.array(jobSubmission).min(1).max(1_000) });

/** The schemas that have a name in the document. */
const components: Record<Direction, Map<z.ZodType, string>> = {
  input: new Map<z.ZodType, string>([
    [jobSubmission, 'JobSubmission'],
    [jobBatchOf, 'JobBatch'],
  ]),
  output: new Map<z.ZodType, string>([
    [jobWithLinks, 'Job'],
    [jobPage, 'JobPage'],
    [jobsTaken, 'JobsTaken'],
    [jobTypeInfo, 'JobType'],
    [jobTypeList, 'JobTypes'],
    [workerInfo, 'Worker'],
    [workerList, 'Workers'],
    [queueList, 'Queues'],
    [webhookDelivery, 'WebhookDelivery'],
    [webhookDeliveryList, 'WebhookDeliveries'],
    [webhookBody, 'WebhookBody'],
    [problem, 'Problem'],
  ]),
};

/** The schema for OpenAPI 3.1: a reference if the schema has a name, otherwise JSON Schema. */
export function schemaOf(schema: z.ZodType, io: Direction): Json {
  const name = components[io].get(schema);
  if (name !== undefined) return { $ref: reference(name) };
  return tidy(z.toJSONSchema(schema, options(io)) as Json);
}

/** All schemas that have a name. */
export function componentSchemas(): Json {
  const all = (['input', 'output'] as const).flatMap((io) => {
    const registry = z.registry<{ id: string }>();
    for (const [schema, id] of components[io]) registry.add(schema, { id });
    const { schemas } = z.toJSONSchema(registry, { ...options(io), uri: reference });
    return Object.entries(schemas).map(([name, schema]) => [name, tidy(schema as Json)]);
  });
  return Object.fromEntries(all);
}

const reference = (name: string): string => `#/components/schemas/${name}`;

function tidy({ $schema, $id, ...rest }: Json): Json {
  void [$schema, $id];
  return rest;
}

/** Removes patterns that repeat a format; and allows more members in answers, which a later version may add. */
function options(io: Direction): Parameters<typeof z.toJSONSchema>[1] {
  return {
    io,
    override({ jsonSchema: node }) {
      if (node.format === 'date-time' || node.format === 'uuid') delete node.pattern;
      if (node.minimum === Number.MIN_SAFE_INTEGER) delete node.minimum;
      if (node.maximum === Number.MAX_SAFE_INTEGER) delete node.maximum;
      if (io === 'output' && node.additionalProperties === false) delete node.additionalProperties;
    },
  };
}
