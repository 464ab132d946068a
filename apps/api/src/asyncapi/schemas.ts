import { control, jobEvents, registration, dispatch } from '@offload/job-messages';
import { jobWithLinks } from '@offload/jobs/answers';
import { jobEvent, jobInEvent } from '@offload/jobs/events';
import { webhookBody } from '@offload/jobs/webhooks';
import { z } from 'zod';
import type { Json } from '../contract/schemas.ts';

/** The schemas that have a name in the document. */
const components = new Map<z.ZodType, string>([
  [dispatch.schema, 'Dispatch'],
  [jobEvent.schema, 'Event'],
  [jobEvents.schema, 'Events'],
  [control.schema, 'Control'],
  [registration.schema, 'Registration'],
  [webhookBody, 'WebhookBody'],
  [jobInEvent, 'Job'],
  [jobWithLinks, 'JobWithLinks'],
]);

/** @returns a reference to a schema that has a name */
export function schemaOf(schema: z.ZodType): Json {
  const name = components.get(schema);
  if (name === undefined) throw new TypeError('the schema has no name in the document');
  return { $ref: reference(name) };
}

/**
 * Each of the named schemas in JSON Schema draft-07, of which AsyncAPI 3.0's own schemas are a superset.
 * https://www.asyncapi.com/docs/reference/specification/v3.0.0#schemaObject
 */
export function componentSchemas(): Json {
  const registry = z.registry<{ id: string }>();
  for (const [schema, id] of components) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, {
    target: 'draft-7',
    io: 'output',
    uri: reference,
    override({ jsonSchema: node }) {
      // Patterns repeat the format; and a later version may add members to messages.
      if (node.format === 'date-time' || node.format === 'uuid') delete node.pattern;
      if (node.minimum === Number.MIN_SAFE_INTEGER) delete node.minimum;
      if (node.maximum === Number.MAX_SAFE_INTEGER) delete node.maximum;
      if (node.additionalProperties === false) delete node.additionalProperties;
    },
  });
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, tidy(schema as Json)]));
}

const reference = (name: string): string => `#/components/schemas/${name}`;

function tidy({ $schema, $id, ...rest }: Json): Json {
  void [$schema, $id];
  return rest;
}
