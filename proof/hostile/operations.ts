import { METHODS } from 'node:http';
import fc, { type Arbitrary } from 'fast-check';
import { charsetBody, codedBody, largeBody, plainBody, type Body } from './bodies.ts';
import { parametersOf, schemaAt, type Document, type Operation, type Parameter } from './document.ts';
import { fromSchema } from './from-schema.ts';
import { heavyValues } from './heavy.ts';
import { oddText, percentEncoded } from './odd-text.ts';
import { jobNumber, keys, message, replaced, usualFields, type Field, type Message } from './script.ts';
import type { Submissions } from './submissions.ts';

/** A request whose end is clear; `index` is its place on the connection. */
export type Sound = (index: number, more?: readonly Field[]) => Message;

/** Values that lead further into the api than random text. */
const knownParts: Record<string, Arbitrary<string>> = {
  id: fc.nat(60).map(jobNumber),
  slug: fc.constantFrom('queue-full', 'not-found', 'invalid-request'),
  file: fc.constantFrom('page.js', 'swagger-ui.css', 'swagger-ui-bundle.js', 'index.html'),
};

/** Values of fields that the document describes only as text. */
const ofField: Record<string, Arbitrary<string>> = {
  Prefer: fc.constantFrom('wait=0', 'wait=1', 'respond-async', 'respond-async, wait=0', 'wait="0"'),
  'Idempotency-Key': fc.integer({ min: 1, max: 30 }).map((number) => `"key-${number}"`),
  'If-None-Match': fc.constantFrom('W/"1"', '"1"', '*', 'W/"2", W/"3"'),
  traceparent: fc.constantFrom('00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', '00-0-0-0', ''),
};

/** Fields, also where they have no meaning: they must be harmless there. */
const someFields = fc
  .record(ofField, { requiredKeys: [] })
  .map((values) => Object.entries(values).map(([name, value]): Field => [name, String(value)]));

/** Mostly the key with all rights. */
const authorization = fc.oneof(
  { arbitrary: fc.constant([`Bearer ${keys.all}`]), weight: 30 },
  { arbitrary: fc.constant([`Bearer ${keys.read}`]), weight: 2 },
  { arbitrary: fc.constantFrom([], ['Bearer unknown'], ['Basic YTpi']), weight: 1 },
);

/** Every call of the document, valid or nearly valid. */
export function callsOf(document: Document, { jobText, batchText }: Submissions): Arbitrary<Sound> {
  const resolve = (reference: string) => schemaAt(document, reference);

  function bodyOf(id: string): Arbitrary<Body> {
    const text = id === 'submitJobs' ? batchText : jobText;
    return fc.oneof({ arbitrary: text.map(plainBody), weight: 12 }, { arbitrary: codedBody(text), weight: 1 });
  }

  function valueOf({ schema }: Parameter): Arbitrary<string> {
    const fitting = fromSchema(schema, resolve).map(String);
    return fc.oneof(
      { arbitrary: fitting, weight: 3 },
      { arbitrary: oddText.map((text) => text.slice(0, 600)), weight: 1 },
    );
  }

  /** A part of a path. */
  function partOf(parameter: Parameter): Arbitrary<string> {
    const known = knownParts[parameter.name];
    const value = valueOf(parameter).map(percentEncoded);
    return known ? fc.oneof({ arbitrary: known, weight: 8 }, { arbitrary: value, weight: 2 }) : value;
  }

  function callOf(path: string, method: string, operation: Operation): Arbitrary<Sound> {
    const parameters = parametersOf(document, operation);
    const inQuery = parameters.filter((each) => each.in === 'query');
    const query = fc
      .record(Object.fromEntries(inQuery.map((each) => [each.name, valueOf(each)])), { requiredKeys: [] })
      .map((values) => Object.entries(values).map(([name, value]) => `${name}=${percentEncoded(String(value))}`));
    const inPath = parameters.filter((each) => each.in === 'path');
    const parts = fc.record(Object.fromEntries(inPath.map((each) => [each.name, partOf(each)])));
    const body = operation.requestBody ? bodyOf(operation.operationId) : fc.constant(undefined);
    const verb = method === 'get' ? fc.constantFrom('GET', 'GET', 'GET', 'HEAD') : fc.constant(method.toUpperCase());

    const asked = fc.tuple(verb, parts, few(query), few(someFields), authorization, body);
    return asked.map(([name, values, pairs, some, who, given]): Sound => {
      const filled = path.replace(/\{(\w+)\}/g, (_all, part: string) => values[part] ?? '');
      const target = filled + (pairs.length > 0 ? `?${pairs.join('&')}` : '');
      return (index, more = []) =>
        message(name, target, [...by(who, index), ...some, ...(given?.fields ?? []), ...more], given);
    });
  }

  const by = (who: readonly string[], index: number) => replaced(usualFields(index), 'Authorization', who);
  const calls = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      arbitrary: callOf(path, method, operation),
      weight: operation.requestBody ? 12 : 1,
    })),
  );
  return fc.oneof(...calls);
}

/** A job in which most quotes are in a string that may contain any Unicode. */
const FREE_TEXT = `{"type":"csv.profile","payload":{"csv":"${'\\"'.repeat(30)}"}}`;

/** Posts with invalid bodies. */
export function oddBodies({ jobText, batchText }: Submissions) {
  const post = (path: string, bodies: Arbitrary<Body>) =>
    fc.tuple(bodies, authorization).map(([body, who]): Sound => {
      const by = (index: number) => replaced(usualFields(index), 'Authorization', who);
      return (index, more = []) => message('POST', path, [...by(index), ...body.fields, ...more], body);
    });
  const both = (made: (text: Arbitrary<string>) => Arbitrary<Body>) =>
    fc.oneof(
      { arbitrary: post('/v1/jobs', made(jobText)), weight: 4 },
      { arbitrary: post('/v1/jobs/batch', made(batchText)), weight: 1 },
    );
  const free = fc.oneof(jobText, fc.constant(FREE_TEXT));
  return {
    charset: fc.oneof(both(charsetBody), post('/v1/jobs', charsetBody(free))),
    coding: both(codedBody),
    heavy: post('/v1/jobs', heavyBody),
    // Refused for some reason while most of the body is still in flight.
    large: fc.oneof(...['/v1/jobs', '/v1/jobs/batch', '/v1/queues', '/nowhere'].map((path) => post(path, largeBody))),
  };
}

/** A megabyte with many faults to describe, in a right or wrong place, plain and compressed. */
const heavyBody: Arbitrary<Body> = fc
  .tuple(
    fc.constantFrom(...Object.values(heavyValues)),
    fc.constantFrom('url', 'acceptStatus', 'headers', 'tags', 'csv'),
  )
  .chain(([value, place]) => {
    const payload = place === 'csv' ? `{"csv":${value}}` : place === 'tags' ? '{}' : `{"${place}":${value}}`;
    const type = place === 'csv' ? 'csv.profile' : 'http.request';
    const text = `{"type":"${type}","payload":${payload}${place === 'tags' ? `,"tags":${value}` : ''}}`;
    return fc.boolean().chain((coded) => (coded ? codedBody(fc.constant(text)) : fc.constant(plainBody(text))));
  });

/** Calls with methods that they do not have. */
export const oddMethods: Arbitrary<Sound> = fc
  .tuple(
    fc.constantFrom(...METHODS.filter((name) => name !== 'CONNECT' && name !== 'HEAD')),
    fc.constantFrom('/healthz', '/v1/queues', '/nowhere'),
  )
  .map(
    ([method, target]): Sound =>
      (index, more = []) =>
        message(method, target, [...usualFields(index), ...more]),
  );

/** Few items or none, because one fault hides the others. */
function few<Item>(items: Arbitrary<Item[]>): Arbitrary<Item[]> {
  return fc.oneof(items, fc.constant<Item[]>([]));
}

/** The same request repeated with its own key. */
export const repeats: Arbitrary<Sound> = fc
  .tuple(fc.integer({ min: 1, max: 12 }), fc.boolean())
  .map(([number, many]) => {
    const job = { type: 'demo.sleep', payload: { seconds: number }, tags: [`again-${number}`] };
    const body = plainBody(JSON.stringify(many ? { jobs: [job, job] } : job));
    const key: Field = ['Idempotency-Key', `"again-${number}-${many}"`];
    return (index, more = []) =>
      message(
        'POST',
        many ? '/v1/jobs/batch' : '/v1/jobs',
        [...usualFields(index), key, ...body.fields, ...more],
        body,
      );
  });
