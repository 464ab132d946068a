import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** What became of a delivery: RabbitMQ's words are ack, nack with requeue, reject with requeue, reject. */
export type Settled = 'ack' | 'requeue' | 'later' | 'reject';

/** One dispatch message that a worker was given. */
export interface DispatchDelivery {
  readonly jobId: string;
  readonly redelivered: boolean;
  /** By performance.now(). */
  readonly at: number;
  settled?: { how: Settled; at: number };
}

/** A way to RabbitMQ that notes the dispatch messages that go through it, and what is said of them. */
export interface AmqpTap {
  /** The broker's URL, through the tap. */
  readonly url: string;
  /** In the order in which they came. */
  readonly deliveries: readonly DispatchDelivery[];
  /** Names of queues, each time that a worker begins to consume one. */
  readonly consumed: readonly string[];
  /** Told at the very moment when a word about a delivery passes. */
  onSettled: (delivery: DispatchDelivery) => void;
  close(): void;
}

// AMQP 0-9-1: a frame is its type (1 octet), channel (2), size (4), payload, and 0xCE. A method begins with its class and number.
const [METHOD, HEADER, BODY] = [1, 2, 3];
const PROTOCOL_HEADER = 8;
const [CONSUME, DELIVER, ACK, REJECT, NACK] = [0x003c_0014, 0x003c_003c, 0x003c_0050, 0x003c_005a, 0x003c_0078];

export async function openAmqpTap(brokerUrl: string): Promise<AmqpTap> {
  const broker = new URL(brokerUrl);
  const sockets = new Set<Socket>();
  const deliveries: DispatchDelivery[] = [];
  const consumed: string[] = [];
  const tap: Pick<AmqpTap, 'onSettled'> = { onSettled: () => undefined };

  const server = createServer((near) => {
    const far = connect({ port: Number(broker.port), host: broker.hostname, noDelay: true });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('error', () => undefined).on('close', () => to.destroy());
    }
    const channels = new Map<number, Channel>();
    const channelOf = (number: number): Channel => {
      const channel = channels.get(number) ?? { open: new Map<bigint, DispatchDelivery>(), body: '' };
      channels.set(number, channel);
      return channel;
    };
    // What is said is judged before it is passed on.
    const hear = (frame: Frame): void => {
      const queue = queueIn(frame);
      if (queue !== null) consumed.push(queue);
      hearWorker(frame, channelOf(frame.channel), settle);
    };
    near.on('data', readFrames(PROTOCOL_HEADER, hear));
    far.on(
      'data',
      readFrames(0, (frame) => hearBroker(frame, channelOf(frame.channel), deliveries)),
    );
    near.pipe(far).pipe(near);
  });
  function settle(delivery: DispatchDelivery, how: Settled): void {
    delivery.settled = { how, at: performance.now() };
    tap.onSettled(delivery);
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(brokerUrl);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return Object.assign(tap, {
    url: url.href,
    deliveries,
    consumed,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  });
}

interface Frame {
  type: number;
  channel: number;
  payload: Buffer;
}

/** What a connection has on one of its channels. */
interface Channel {
  /** By delivery tag: what nothing was said of yet. */
  open: Map<bigint, DispatchDelivery>;
  /** What was announced last, until its body has come. */
  coming?: { tag: bigint; redelivered: boolean; size: number };
  body: string;
}

/** @param skip octets before the first frame */
function readFrames(skip: number, hear: (frame: Frame) => void): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0);
  let toSkip = skip;
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    const skipped = Math.min(toSkip, rest.length);
    toSkip -= skipped;
    rest = rest.subarray(skipped);
    while (rest.length >= 7 && rest.length >= 8 + rest.readUInt32BE(3)) {
      const size = rest.readUInt32BE(3);
      hear({ type: rest.readUInt8(0), channel: rest.readUInt16BE(1), payload: rest.subarray(7, 7 + size) });
      rest = rest.subarray(8 + size);
    }
  };
}

function hearBroker({ type, payload }: Frame, channel: Channel, deliveries: DispatchDelivery[]): void {
  if (type === METHOD && payload.readUInt32BE(0) === DELIVER) {
    const at = 5 + payload.readUInt8(4); // behind the consumer's tag
    channel.coming = { tag: payload.readBigUInt64BE(at), redelivered: payload.readUInt8(at + 8) === 1, size: 0 };
    channel.body = '';
  }
  if (!channel.coming) return;
  if (type === HEADER) channel.coming.size = Number(payload.readBigUInt64BE(4));
  if (type === BODY) channel.body += payload.toString('latin1');
  if (type !== BODY || channel.body.length < channel.coming.size) return;
  const { tag, redelivered } = channel.coming;
  delete channel.coming;
  const jobId = jobIn(channel.body);
  if (jobId === null) return; // a command, say
  const delivery = { jobId, redelivered, at: performance.now() };
  deliveries.push(delivery);
  channel.open.set(tag, delivery);
}

/** The job of a dispatch message; null of any other message. */
function jobIn(body: string): string | null {
  try {
    const { jobId, command } = JSON.parse(body) as { jobId?: unknown; command?: unknown };
    return typeof jobId === 'string' && command === undefined ? jobId : null;
  } catch {
    return null;
  }
}

/** The queue that the worker begins to consume; null where it says something else. */
function queueIn({ type, payload }: Frame): string | null {
  if (type !== METHOD || payload.readUInt32BE(0) !== CONSUME) return null;
  return payload.toString('latin1', 7, 7 + payload.readUInt8(6));
}

function hearWorker(
  { type, payload }: Frame,
  { open }: Channel,
  settle: (of: DispatchDelivery, how: Settled) => void,
): void {
  if (type !== METHOD) return;
  const method = payload.readUInt32BE(0);
  if (method !== ACK && method !== REJECT && method !== NACK) return;
  const tag = payload.readBigUInt64BE(4);
  const bits = payload.readUInt8(12);
  const isMultiple = method !== REJECT && (bits & 1) === 1;
  const isRequeue = method === REJECT ? (bits & 1) === 1 : (bits & 2) === 2;
  const how = method === ACK ? 'ack' : !isRequeue ? 'reject' : method === NACK ? 'requeue' : 'later';
  for (const [each, delivery] of open) {
    if (each !== tag && !(isMultiple && (each < tag || tag === 0n))) continue;
    open.delete(each);
    settle(delivery, how);
  }
}
