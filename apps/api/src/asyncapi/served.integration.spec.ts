import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import request from 'supertest';
import { useApi } from '../spec-api.ts';

const PATH = '/asyncapi.json';
const api = useApi();

it('is served as it is kept, to everybody', async () => {
  const { body } = await request(api.app())
    .get(PATH)
    .expect(200)
    .expect('Content-Type', /^application\/json/);
  expect(body).toEqual(JSON.parse(readFileSync(new URL('../../asyncapi.json', import.meta.url), 'utf8')));
});

it('is served like /openapi.json: to HEAD, to a client that has it already, and to other methods', async () => {
  const app = api.app();
  const told = async (path: string) => {
    const read = await request(app).get(path);
    const head = await request(app).head(path);
    const conditional = await request(app).get(path).set('If-None-Match', '"mine"');
    const wrong = await request(app).post(path);
    expect(head.headers['content-length']).toBe(String(Buffer.byteLength(read.text)));
    return {
      read: [read.status, Object.keys(read.headers)],
      head: [head.status, Object.keys(head.headers), head.text],
      conditional: [conditional.status, Object.keys(conditional.headers)],
      wrong: [wrong.status, wrong.headers['allow'], wrong.body.type],
    };
  };
  expect(await told(PATH)).toEqual(await told('/openapi.json'));
});
