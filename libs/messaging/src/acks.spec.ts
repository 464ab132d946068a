import { describe, expect, it } from '@jest/globals';
import amqp, { type ConfirmChannel, type ConsumeMessage } from 'amqplib';
import { gatherAcks } from './acks.ts';

const delivery = (deliveryTag: number) => ({ fields: { deliveryTag } }) as ConsumeMessage;

/** Acknowledgements on a fake channel that records what it sends. */
function setup(arrived: number) {
  const sent: string[] = [];
  const told: [tag: number, sent: boolean][] = [];
  let closed = false;
  const channel = {
    ack({ fields }: ConsumeMessage, upTo = false) {
      if (closed) throw new amqp.IllegalOperationError('closed', '');
      sent.push(`${fields.deliveryTag}${upTo ? ' and all before' : ''}`);
    },
  } as ConfirmChannel;
  const acks = gatherAcks(channel);
  for (let tag = 1; tag <= arrived; tag += 1) acks.arrived(delivery(tag));
  return {
    acks,
    sent,
    told,
    ack: (...tags: number[]) => tags.forEach((tag) => acks.ack(delivery(tag), (was) => told.push([tag, was]))),
    close: () => void (closed = true),
  };
}

describe('acknowledgements', () => {
  it('of one turn go out as one, up to the first delivery that is still open', () => {
    const { acks, ack, sent, told } = setup(6);
    ack(2, 1, 3, 5);
    acks.flush();
    expect(sent).toEqual(['3 and all before', '5']);
    expect(told.map(([tag]) => tag).sort()).toEqual([1, 2, 3, 5]);
  });

  it('never include a delivery that is still open', () => {
    const { acks, ack, sent } = setup(3);
    ack(2);
    acks.flush();
    ack(3);
    acks.flush();
    expect(sent).toEqual(['2', '3']);
    ack(1);
    acks.flush();
    expect(sent).toEqual(['2', '3', '1']);
  });

  it('count rejected and requeued deliveries as done', () => {
    const { acks, ack, sent } = setup(3);
    acks.settled(delivery(2));
    ack(1, 3);
    acks.flush();
    expect(sent).toEqual(['3 and all before']);
  });

  it('go out by themselves at the end of the turn', async () => {
    const { ack, sent } = setup(2);
    ack(1);
    await Promise.resolve();
    ack(2);
    await new Promise((resolve) => setImmediate(resolve));
    expect(sent).toEqual(['2 and all before']);
  });

  it('report that they are lost with their channel', () => {
    const { acks, ack, told, close } = setup(2);
    close();
    ack(1, 2);
    acks.flush();
    expect(told).toEqual([
      [1, false],
      [2, false],
    ]);
  });
});
