import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { eventually } from '@offload/spec-kit';
import { startBroker, testCertificates, type TestBroker } from '@offload/spec-kit/servers';
import { connect, type ConnectOptions } from './connection.ts';
import { consume } from './consumer.ts';
import { text } from './message.ts';
import { createPublisher } from './publisher.ts';

const { ca, certificate, key } = testCertificates();
let broker: TestBroker;
const opened: { close(): Promise<unknown> }[] = [];
beforeAll(async () => void (broker = await startBroker({ tls: { ca, certificate, key } })), 60_000);
afterAll(() => broker?.remove());
afterEach(async () => void (await Promise.allSettled(opened.splice(0).map((each) => each.close()))));

function connectWith(tls: ConnectOptions['tls'], url = broker.amqpsUrl as string) {
  const connection = connect({
    url,
    topology: { queues: { inbox: {} } },
    maxReconnectDelayMs: 50,
    ...(tls && { tls }),
  });
  connection.opened.catch(() => undefined);
  opened.push(connection);
  const states: [state: string, reason?: string][] = [];
  connection.events.on('state', (...state) => void states.push(state));
  return { connection, states };
}

it('publishes and consumes over amqps with the authority that signed the certificate', async () => {
  expect(new URL(broker.amqpsUrl as string).protocol).toBe('amqps:');
  const { connection } = connectWith({ ca });
  const heard: string[] = [];
  consume(connection, { queue: 'inbox', message: text, handle: ({ body }) => void heard.push(body) });
  await createPublisher(connection).publish(text, 'sealed', { queue: 'inbox' });
  await eventually(() => expect(heard).toEqual(['sealed']));
});

it.each([
  ['without an authority', undefined],
  ['with another authority', { ca: testCertificates().ca }],
])('does not connect %s, and says why', async (_how, tls) => {
  const { connection, states } = connectWith(tls);
  await eventually(() => expect(states).toEqual([['connecting', expect.stringMatching(/certificate/)]]));
  expect(connection.state).toBe('connecting');
});

it('does not connect to a broker whose certificate is for another name, and says which', async () => {
  // Another way to write 127.0.0.1, to a resolver; to a certificate it is another host.
  const url = Object.assign(new URL(broker.amqpsUrl as string), { hostname: '127.1' }).href;
  const { states } = connectWith({ ca }, url);
  await eventually(() => expect(states).toEqual([['connecting', expect.stringMatching(/127\.1.*altnames/)]]));
});
