import { expect, it } from '@jest/globals';
import { type JobDefinition } from '@offload/jobs/definitions';
import { jobDefinitions } from '@offload/jobs/job-types';
import type { Client } from './client.ts';
import type { Definition } from './definition.ts';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? [] : ['the types differ', A, B];

/** `is` compiles only for a value of exactly this type. */
const exactly = <Expected>() => ({
  is: <Actual>(value: Actual, ...proof: Same<Actual, Expected>): unknown => [value, proof],
});

const { csvProfile, demoSleep, httpRequest } = jobDefinitions;
const bare: Definition<{ seconds?: number }, { sleptMs: number }> = { type: 'demo.sleep' };

// Never called: `npm run typecheck` is the test.
async function definitionsOfContracts(client: Client) {
  const job = await client.submit(demoSleep, { seconds: 10 });
  const result = await job.wait();
  exactly<{ sleptMs: number }>().is(result);
  exactly<{ sleptMs: number } | null>().is(job.snapshot.result);
  for await (const event of job.events()) exactly<{ sleptMs: number } | null>().is(event.job.result);

  await client.submit(demoSleep, {}); // members with a default are optional
  // @ts-expect-error -- seconds are a number
  await client.submit(demoSleep, { seconds: '10' });
  // @ts-expect-error -- there are no minutes
  await client.submit(demoSleep, { minutes: 10 });
  // @ts-expect-error -- a URL is needed
  await client.submit(httpRequest, {});
  // @ts-expect-error -- a payload is needed
  await client.submit(demoSleep);
  await client.submit(demoSleep, {}, { webhook: { url: 'https://example.com/', events: ['failed'] } });
  // @ts-expect-error -- running is not a final status
  await client.submit(demoSleep, {}, { webhook: { url: 'https://example.com/', events: ['running'] } });
  // @ts-expect-error -- there is no such option
  await client.submit(demoSleep, {}, { prio: 5 });

  const typed = client.job(csvProfile, job.id);
  exactly<number>().is((await typed.wait()).rows);
  // @ts-expect-error -- the client may not have seen the job
  void typed.snapshot.status;
}

async function batches(client: Client) {
  const [one, two, three] = await client.submitBatch([
    [demoSleep, { seconds: 1 }, { tags: ['a'] }],
    [httpRequest, { url: 'https://example.com/' }],
    ['other.type', { any: 'thing' }],
  ]);
  exactly<{ sleptMs: number }>().is(await one.wait());
  exactly<number>().is((await two.wait()).status);
  exactly<unknown>().is(await three.wait());

  // @ts-expect-error -- seconds are a number
  await client.submitBatch([[demoSleep, { seconds: '1' }]]);
  // @ts-expect-error -- a batch cannot be waited for
  await client.submitBatch([[demoSleep, {}, { waitSeconds: 1 }]]);

  const many = await client.submitBatch([1, 2, 3].map((seconds) => [demoSleep, { seconds }] as const));
  exactly<{ sleptMs: number }[]>().is(await Promise.all(many.map((job) => job.wait())));
}

async function otherKinds(client: Client, anyDefinition: JobDefinition) {
  const named = await client.submit('demo.sleep', { whatever: 1 });
  exactly<unknown>().is(await named.wait());
  await client.submit(anyDefinition, { whatever: 1 });

  const job = await client.submit(bare, { seconds: 1 });
  exactly<{ sleptMs: number }>().is(await job.wait());
  // @ts-expect-error -- seconds are a number
  await client.submit(bare, { seconds: '1' });

  exactly<unknown>().is((await client.get(job.id)).snapshot.result);
}

it('types payloads and results by the definition', () => {
  expect([definitionsOfContracts, batches, otherKinds]).toHaveLength(3);
});
