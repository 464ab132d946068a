import type { Schema } from './from-schema.ts';

/** The parts of an OpenAPI document from which requests are made. */
export interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema>; parameters: Record<string, Parameter> };
}

/** A call of the document. */
export interface Operation {
  operationId: string;
  parameters?: (Parameter | { $ref: string })[];
  requestBody?: { content: Record<string, { schema: Schema }> };
}

/** A parameter of a call. */
export interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  schema: Schema;
  example?: string;
}

/** Reads the document of an api, and adds the schema of each type's payload as `<type>.payload`. */
export async function readDocument(apiUrl: string, headers: Record<string, string> = {}): Promise<Document> {
  const read = async (path: string): Promise<unknown> => (await fetch(`${apiUrl}${path}`, { headers })).json();
  const document = (await read('/openapi.json')) as Document;
  const { jobTypes } = (await read('/v1/job-types')) as { jobTypes: { type: string; payloadSchema: Schema }[] };
  for (const { type, payloadSchema } of jobTypes) document.components.schemas[`${type}.payload`] = payloadSchema;
  return document;
}

const lastOf = (reference: string): string => reference.split('/').at(-1) as string;

/** The schema at a reference. */
export function schemaAt(document: Document, reference: string): Schema {
  const schema = document.components.schemas[lastOf(reference)];
  if (!schema) throw new Error(`the document has no ${reference}`);
  return schema;
}

/** The parameters of a call. */
export function parametersOf(document: Document, operation: Operation): Parameter[] {
  return (operation.parameters ?? []).map((each) =>
    '$ref' in each ? (document.components.parameters[lastOf(each.$ref)] as Parameter) : each,
  );
}
