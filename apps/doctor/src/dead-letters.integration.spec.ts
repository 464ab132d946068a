import { describe, expect, it } from '@jest/globals';
import { exchanges, dispatch, dispatchQueue } from '@offload/job-messages';
import { connect, consume } from '@offload/messaging';
import { type BrowsedMessage, browseQueue } from '@offload/messaging/queues';
import { eventually } from '@offload/spec-kit';
import { usePatient } from './spec-patient.ts';

const { patient, doctor, create } = usePatient();

type Properties = Partial<BrowsedMessage['properties']>;

/** Sends any bytes, as any program might. */
function send(content: string | Buffer, properties: Properties, to: { exchange: string; routingKey?: string }) {
  const message = { content: Buffer.from(content), properties: { messageId: '', ...properties }, fields: {} };
  return patient.publisher.forward(message as BrowsedMessage, to);
}
const bury = (content: string | Buffer, properties: Properties) =>
  send(content, properties, { exchange: exchanges.dead });

/** The messages in a RabbitMQ queue, after `count` have arrived. */
async function inQueue(queue: string, count: number): Promise<BrowsedMessage[]> {
  return eventually(async () => {
    const messages: BrowsedMessage[] = [];
    const visit = (message: BrowsedMessage): 'keep' => {
      messages.push(message);
      return 'keep';
    };
    await browseQueue(patient.broker, { queue, visit });
    expect(messages).toHaveLength(count);
    return messages;
  });
}
const headersOf = ({ properties }: BrowsedMessage | undefined = {} as BrowsedMessage) => properties?.headers ?? {};

describe('dead letters', () => {
  it("are listed with the worker's reason and the status of their job, and are sent again byte by byte", async () => {
    const { job } = await create();
    const body = `{ "jobId": "${job.id}",\n "type": "demo.sleep" }`;
    const to = { exchange: exchanges.jobs, routingKey: 'default' };
    const properties = { messageId: 'no-uuid', type: 'dispatch', contentType: 'application/json', correlationId: 'c' };
    await send(body, { ...properties, headers: { 'x-schema-version': 1, kept: 'yes' } }, to);
    const deadLetters = { publisher: patient.publisher, exchange: exchanges.dead };
    const consumer = consume(patient.broker, {
      queue: dispatchQueue('default'),
      message: dispatch,
      deadLetters,
      handle: () => ({ reject: 'message_id is not a UUID' }),
    });
    await inQueue(exchanges.dead, 1);
    await consumer.drain();

    const { exitCode, text } = await doctor('dead-letters');
    expect(exitCode).toBe(0);
    expect(text).toMatch(/ 1 {2}no-uuid {2}/);
    expect(text).toContain(`queue default, type dispatch, job ${job.id} (demo.sleep), queued`);
    expect(text).toContain('reason: message_id is not a UUID');

    const shown = (await doctor('dead-letters show no-uuid')).text;
    expect(shown).toContain('correlationId: "c"');
    expect(shown).toContain('kept: "yes"');
    expect(shown).toContain(`body, ${body.length} bytes:\n${body}`);

    expect((await doctor()).exitCode).toBe(1); // one dead letter disagrees
    const redriven = await doctor('dead-letters redrive no-uuid');
    expect(redriven.exitCode).toBe(0);
    const [again] = await inQueue(dispatchQueue('default'), 1);
    expect(again?.content.toString()).toBe(body);
    expect(again?.properties).toMatchObject({ ...properties, messageId: expect.not.stringContaining('no-uuid') });
    expect(redriven.text).toContain(`no-uuid is in jobs.default again, as ${again?.properties.messageId}`);
    expect(Object.keys(headersOf(again)).sort()).toEqual(
      expect.not.arrayContaining(['x-offload-reason', 'x-offload-queue']),
    );
    expect(headersOf(again)).toMatchObject({ kept: 'yes', 'x-schema-version': 1 });
    await inQueue(exchanges.dead, 0);
    expect((await doctor('dead-letters list')).text).toBe('There are no dead letters.');
  });

  it('are listed with the reason of the broker, and are sent again without the headers of their death', async () => {
    const bindings = [{ exchange: exchanges.jobs, routingKey: 'limited' }];
    const queues = { 'jobs.limited': { bindings, deadLetterExchange: exchanges.dead, deliveryLimit: 1 } };
    const declaring = connect({ url: patient.vhost.amqpUrl, topology: { queues } });
    await declaring.opened;
    await send('{}', { messageId: 'again-and-again' }, { exchange: exchanges.jobs, routingKey: 'limited' });
    await declaring.close();
    const message = { ...dispatch, schema: dispatch.schema.partial() };
    const again = consume(patient.broker, { queue: 'jobs.limited', message, handle: () => 'later' });
    await inQueue(exchanges.dead, 1);
    await again.drain();

    const { text } = await doctor('dead-letters');
    expect(text).toContain('queue limited,');
    expect(text).toContain('reason: it came back too often: its queue has a delivery limit');
    expect(await doctor('dead-letters redrive --all')).toMatchObject({ exitCode: 0 });
    const [back] = await inQueue('jobs.limited', 1);
    expect(Object.keys(headersOf(back)).filter((name) => name.includes('death'))).toEqual([]);
  });

  it('stay in their order, with the reason printed, if they can not be sent again', async () => {
    await bury('a', { messageId: 'a', headers: { 'x-offload-queue': 'nowhere' } });
    await bury('b', { messageId: 'b', headers: { 'x-offload-queue': 'default' } });
    await bury('c', { messageId: 'c' });
    const { exitCode, text } = await doctor('dead-letters redrive --all');
    expect(exitCode).toBe(1);
    expect(text).toMatch(/^a stays: the broker has no queue jobs\.nowhere.*\(returned: NO_ROUTE\)$/m);
    expect(text).toMatch(/^c stays: no queue is known for it$/m);
    expect(text).toContain('1 dead letter sent again, 2 left.');
    const left = await inQueue(exchanges.dead, 2);
    expect(left.map(({ content }) => content.toString())).toEqual(['a', 'c']);
    expect((await inQueue(dispatchQueue('default'), 1))[0]?.content.toString()).toBe('b');
  });

  it('are deleted one by one, also those without an id; the others stay as they are', async () => {
    const binary = Buffer.from([255, 0, 1]);
    await bury('a', { messageId: 'a' });
    await bury(binary, { messageId: 'b' });
    expect((await doctor('dead-letters show b')).text).toContain('body, 3 bytes, in hexadecimal');
    expect(await doctor('dead-letters delete unknown')).toMatchObject({
      exitCode: 1,
      text: 'There is no dead letter unknown.',
    });
    expect(await doctor('dead-letters delete a')).toMatchObject({ exitCode: 0, text: '1 dead letter deleted.' });
    const [left, ...others] = await inQueue(exchanges.dead, 1);
    expect([left?.content, others]).toEqual([binary, []]);
  });

  it('are listed up to a limit, the oldest first', async () => {
    for (const id of ['a', 'b', 'c']) await bury(id, { messageId: id });
    const { text } = await doctor('dead-letters list --limit 2');
    expect(text.match(/^ +\d {2}\w/gm)?.map((line) => line.trim())).toEqual(['1  a', '2  b']);
    expect(text).toContain('These are the oldest 2; --limit shows more.');
  });
});
