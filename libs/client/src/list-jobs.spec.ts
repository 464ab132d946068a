import { expect, it } from '@jest/globals';
import { answer, clientOf, cut, job, serve } from './spec-server.ts';

const ids = Array.from({ length: 5 }, (_, n) => `01a1fba9-679a-75c8-9117-00000000000${n}`);
const page = (from: number, to: number, nextCursor: string | null) =>
  answer(200, { jobs: ids.slice(from, to).map((id) => job({ id })), nextCursor });
const queryOf = ({ path }: { path: string }) => Object.fromEntries(new URL(path, 'http://offload').searchParams);

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const list: Item[] = [];
  for await (const item of items) list.push(item);
  return list;
}

it('follows the cursors to the last page', async () => {
  const server = await serve(page(0, 2, 'a+/='), cut, page(2, 4, 'b'), page(4, 5, null));
  const jobs = await all(clientOf(server).list({ status: 'failed', tag: 'nightly & daily' }));
  expect(jobs.map(({ id, snapshot }) => [id, snapshot.id])).toEqual(ids.map((id) => [id, id]));
  const filters = { status: 'failed', tag: 'nightly & daily', limit: '50' };
  expect(server.received.map(queryOf)).toEqual([
    filters,
    { ...filters, cursor: 'a+/=' },
    { ...filters, cursor: 'a+/=' },
    { ...filters, cursor: 'b' },
  ]);
});

it('sends every filter', async () => {
  const server = await serve(page(0, 0, null));
  const filters = { type: 'demo.sleep', queue: 'default', createdBefore: '2026-11-21T10:00:00Z' };
  expect(await all(clientOf(server).list({ ...filters, createdAfter: new Date(0) }))).toEqual([]);
  expect(server.received.map(queryOf)).toEqual([{ ...filters, createdAfter: '1970-01-01T00:00:00.000Z', limit: '50' }]);
});

it('requests no more jobs than wanted', async () => {
  const server = await serve(page(0, 2, 'a'), page(2, 3, 'b'));
  expect(await all(clientOf(server).list({ limit: 3, pageSize: 2 }))).toHaveLength(3);
  expect(server.received.map(queryOf)).toEqual([{ limit: '2' }, { limit: '1', cursor: 'a' }]);
});

it('requests a page only when it is needed', async () => {
  const server = await serve(page(0, 2, 'a'));
  for await (const { id } of clientOf(server).list()) if (id === ids[1]) break;
  expect(server.received).toHaveLength(1);
});

it('gives handles', async () => {
  const server = await serve(page(0, 1, null), answer(202, job({ id: ids[0] ?? '', version: 2 })));
  for await (const each of clientOf(server).list({ status: 'failed' })) await each.retry();
  expect(server.received[1]?.path).toBe(`/v1/jobs/${ids[0]}/retry`);
});

it('refuses a page size that the api would not give', async () => {
  const listing = all(clientOf(await serve()).list({ pageSize: 201 }));
  await expect(listing).rejects.toThrow('pageSize: must be a whole number from 1 to 200');
});

it('rejects a page without nextCursor', async () => {
  await expect(all(clientOf(await serve(answer(200, { jobs: [] }))).list())).rejects.toThrow(/no nextCursor$/);
});

it('lists job types and queues', async () => {
  const server = await serve(answer(200, { jobTypes: [{ type: 'demo.sleep' }] }), answer(200, { queues: [] }));
  expect(await clientOf(server).jobTypes()).toEqual([{ type: 'demo.sleep' }]);
  expect(await clientOf(server).queues()).toEqual([]);
  expect(server.received.map(({ path }) => path)).toEqual(['/v1/job-types', '/v1/queues']);
});
