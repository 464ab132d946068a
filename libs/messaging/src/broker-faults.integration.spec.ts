import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, takeAll } from '@offload/spec-kit';
import { startBroker, type TestBroker } from '@offload/spec-kit/servers';
import amqp from 'amqplib';
import { z } from 'zod';
import { connect, type Connection } from './connection.ts';
import { consume } from './consumer.ts';
import { DeliveryLostError } from './errors.ts';
import { createPublisher } from './publisher.ts';
import type { QueueDeclaration } from './topology.ts';

// What happens to messages when the broker itself fails: each fault hits a broker that nobody else uses.

let broker: TestBroker;
const connections: Connection[] = [];
const consumers: ChildProcess[] = [];
beforeAll(async () => {
  broker = await startBroker({ consumerTimeoutMs: 2_000 });
}, 60_000);
afterAll(async () => {
  for (const consumer of consumers) consumer.kill('SIGKILL'); // those that a failed test left
  await Promise.all(connections.map((connection) => connection.close()));
  await broker.remove();
}, 60_000);

const number = { type: 'number', version: 1, schema: z.int() };

async function open(queue: string, declaration: QueueDeclaration = {}) {
  const connection = connect({ url: broker.amqpUrl, topology: { queues: { [queue]: declaration } } });
  connections.push(connection);
  const states: string[] = [];
  const steps: string[] = [];
  const losses: string[] = [];
  connection.events
    .on('state', (state) => state !== states.at(-1) && states.push(state))
    .on('message', (step) => void steps.push(step))
    .on('channelLost', (reason) => void losses.push(reason));
  await connection.opened;
  return { connection, states, steps, losses };
}

/** Everything in the queue, looked at with nothing but amqplib. */
async function contents(queue: string): Promise<string[]> {
  const observer = await amqp.connect(broker.amqpUrl);
  try {
    return await takeAll(await observer.createConfirmChannel(), queue);
  } finally {
    await observer.close();
  }
}

describe('a broker that is killed', () => {
  it('settles each of 1,000 publishes in flight and keeps the confirmed, and gives a handled message again', async () => {
    const { connection, steps } = await open('in-flight');
    const publisher = createPublisher(connection);
    await publisher.publish(number, -1, { queue: 'in-flight' });
    const handled = await handledOnce();
    await broker.flush();

    const settled: Promise<string>[] = [];
    const confirmed: number[] = [];
    const publish = (n: number): void => {
      settled.push(
        publisher.publish(number, n, { queue: 'in-flight' }).then(
          () => {
            confirmed.push(n);
            return 'confirmed';
          },
          (error: Error) => error.name,
        ),
      );
    };
    for (let n = 0; n < 1_000; n += 1) publish(n);
    await eventually(() => expect(confirmed.length).toBeGreaterThan(0), { intervalMs: 1 });
    for (let n = 1_000; n < 2_000; n += 1) publish(n);
    await broker.kill();
    const outcomes = await Promise.all(settled);
    expect(new Set(outcomes)).toEqual(new Set(['confirmed', 'BrokerUnavailableError']));
    expect(outcomes.filter((outcome) => outcome === 'confirmed')).toHaveLength(confirmed.length);
    expect(steps.filter((step) => step === 'published')).toHaveLength(
      steps.filter((step) => step === 'confirmed' || step === 'unconfirmed').length,
    );
    await eventually(() => expect(handled.signals[0]?.aborted).toBe(true));

    await broker.start();
    await eventually(() => expect(connection.state).toBe('open'), { timeoutMs: 20_000 });
    await publisher.publish(number, 2_000, { queue: 'in-flight' });
    const there = new Set((await contents('in-flight')).map(Number));
    expect([-1, ...confirmed, 2_000].filter((n) => !there.has(n))).toEqual([]);
    await eventually(() => expect(handled.redelivered).toEqual([false, true]), { timeoutMs: 20_000 });
    await handled.connection.close();
    expect(await contents('handled')).toEqual([]);
  }, 90_000);

  /** A message at a handler that ends when its signal fires, and at once when the message comes again. */
  async function handledOnce() {
    const { connection } = await open('handled');
    const signals: AbortSignal[] = [];
    const redelivered: boolean[] = [];
    consume(connection, {
      queue: 'handled',
      message: number,
      async handle(delivery) {
        redelivered.push(delivery.redelivered);
        signals.push(delivery.signal);
        if (signals.length === 1) await once(delivery.signal, 'abort');
      },
    });
    await createPublisher(connection).publish(number, 1, { queue: 'handled' });
    await eventually(() => expect(signals).toHaveLength(1));
    return { connection, signals, redelivered };
  }
});

describe('a broker that is stopped in good order', () => {
  it('is waited for, and what was published meanwhile arrives', async () => {
    const { connection, states } = await open('stopped');
    const publisher = createPublisher(connection, { timeoutMs: 60_000 });
    await broker.stop();
    await eventually(() => expect(connection.state).toBe('connecting'));
    const published = [1, 2, 3].map((n) => publisher.publish(number, n, { queue: 'stopped' }));
    await broker.start();
    await Promise.all(published);
    expect(states).toEqual(['open', 'connecting', 'open']);
    expect(await contents('stopped')).toEqual(['1', '2', '3']);
  }, 90_000);
});

describe('a broker low on memory', () => {
  it('blocks publishers, who hold back within their bounds, while consumers go on', async () => {
    const { connection: publishing, states } = await open('alarmed');
    const { connection: consuming } = await open('alarmed');
    const publisher = createPublisher(publishing, { timeoutMs: 60_000, maxPending: 100 });
    for (let n = 0; n < 10; n += 1) await publisher.publish(number, n, { queue: 'alarmed' });

    await broker.control('set_vm_memory_high_watermark', '0.00001');
    // RabbitMQ tells a connection only when it publishes.
    const outcomes = Array.from({ length: 500 }, (_, n) =>
      publisher.publish(number, 10 + n, { queue: 'alarmed' }).then(
        () => 'confirmed',
        (error: Error) => `${error.name}: ${error.message}`,
      ),
    );
    await eventually(() => expect(publishing.state).toBe('blocked'));
    const heard: number[] = [];
    consume(consuming, { queue: 'alarmed', message: number, handle: ({ body }) => void heard.push(body) });
    await eventually(() => expect(heard).toHaveLength(10));

    await broker.control('set_vm_memory_high_watermark', '0.6');
    const full = 'BrokerUnavailableError: 100 messages are not yet confirmed';
    const ended = await Promise.all(outcomes);
    expect(ended.filter((outcome) => outcome === 'confirmed')).toHaveLength(100);
    expect(ended.filter((outcome) => outcome === full)).toHaveLength(400);
    await eventually(() => expect(heard).toHaveLength(110));
    expect(states).toEqual(['open', 'blocked', 'open']);
  }, 60_000);
});

describe('a delivery that stays unacknowledged beyond consumer_timeout', () => {
  it('is taken back by a classic and by a quorum queue: its signal fires, and it comes again', async () => {
    await Promise.all([takenBackBy('classic'), takenBackBy('quorum')]);
  }, 60_000);

  async function takenBackBy(type: 'classic' | 'quorum'): Promise<void> {
    const queue = `slow-${type}`;
    const { connection, losses } = await open(queue, { type });
    const signals: AbortSignal[] = [];
    const consumer = consume(connection, {
      queue,
      message: number,
      async handle({ signal }) {
        signals.push(signal);
        if (signals.length === 1) await once(signal, 'abort');
      },
    });
    await createPublisher(connection).publish(number, 1, { queue });
    await eventually(() => expect(signals).toHaveLength(2), { timeoutMs: 20_000 });
    expect(signals[0]?.reason).toBeInstanceOf(DeliveryLostError);
    expect(losses).toEqual([expect.stringMatching(/timed out.* 2000 ms|consumer_timeout/)]);
    expect(consumer.active).toBe(true);
    await consumer.drain();
    await connection.close();
    expect(await contents(queue)).toEqual([]);
  }
});

describe('a consumer that is killed ten times', () => {
  it('loses none of 10,000 messages: each is acknowledged, by whoever gets it last', async () => {
    const { connection } = await open('ten-thousand');
    const publisher = createPublisher(connection);
    const all = Array.from({ length: 10_000 }, (_, n) => n);
    await Promise.all(all.map((n) => publisher.publish(number, n, { queue: 'ten-thousand' })));

    const handled = new Set<number>();
    let twice = 0;
    const run = async (killAt: number): Promise<void> => {
      const consumer = startConsumer('ten-thousand');
      for await (const line of createInterface({ input: consumer.stdout as NodeJS.ReadableStream })) {
        if (handled.has(Number(line))) twice += 1;
        handled.add(Number(line));
        if (handled.size >= killAt) consumer.kill('SIGKILL');
      }
      if (consumer.exitCode === null && consumer.signalCode === null) await once(consumer, 'exit');
    };
    for (let round = 1; round <= 10; round += 1) await run(round * 900);
    expect(handled.size).toBeLessThan(10_000);
    const last = startConsumer('ten-thousand');
    createInterface({ input: last.stdout as NodeJS.ReadableStream }).on('line', (line) => handled.add(Number(line)));
    await eventually(() => expect(handled.size).toBe(10_000), { timeoutMs: 30_000 });
    last.kill('SIGTERM'); // it drains
    await once(last, 'exit');
    expect(await contents('ten-thousand')).toEqual([]);
    expect(twice).toBeLessThanOrEqual(10 * PREFETCH);
  }, 120_000);
});

const PREFETCH = 100;

/** A consumer in a process of its own, which prints each number that it handles. */
function startConsumer(queue: string): ChildProcess {
  const program = join(import.meta.dirname, 'spec-consumer-process.ts');
  const args = ['--import', 'tsx', '--conditions=@offload/source', program, broker.amqpUrl, queue, String(PREFETCH)];
  const consumer = spawn(process.execPath, args, {
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  consumers.push(consumer);
  return consumer;
}
