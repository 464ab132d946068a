import { beforeAll } from '@jest/globals';
import request from 'supertest';
import { useApi } from './spec-api.ts';

export const sleep = { type: 'demo.sleep', payload: { seconds: 1 } };

export const api = useApi();
export let app: ReturnType<typeof api.app>;
beforeAll(() => void (app = api.app()));

export const post = (body: unknown) =>
  request(app)
    .post('/v1/jobs')
    .send(body as object);
