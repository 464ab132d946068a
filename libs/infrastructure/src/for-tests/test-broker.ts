// One RabbitMQ for a test file that ends, restarts or reconfigures it: in a container or embedded, as TEST_SERVERS says
// (embedded when it does not). Reads requests from standard input, one JSON array a line, and answers each with a line
// `{ value }` or `{ error }`, in their order:
//   ["open", settings] → URLs    ["start"]    ["stop"]    ["kill"]    ["control", ...arguments] → what rabbitmqctl prints
// The input is a lifeline, too: when it ends, the broker is removed with all it has stored, and this program ends.
import { createInterface } from 'node:readline';

import type { Broker, BrokerUrls } from './broker.ts';
import { embeddedBroker } from './embedded-broker.ts';
import { wantedFlavour } from './flavour.ts';
import { endWithParent } from '../processes/lifeline.ts';
import type { RabbitmqSettings } from '../rabbitmq/rabbitmq-settings.ts';

type Request = ['open', RabbitmqSettings] | ['start' | 'stop' | 'kill'] | ['control', ...string[]];

const ending = new AbortController();
let broker: Broker | undefined;
let last: Promise<void> = Promise.resolve();

async function open(settings: RabbitmqSettings): Promise<BrokerUrls> {
  const log = (line: string) => process.stderr.write(`${line}\n`);
  const options = { settings, abort: ending.signal, log };
  if (wantedFlavour() === 'containers') {
    const { containerBroker } = await import('./container-broker.ts'); // a second of CPU, only when it is wanted
    broker = await containerBroker(options);
  } else broker = await embeddedBroker(options);
  return broker.urls;
}

async function perform(request: Request): Promise<unknown> {
  if (request[0] === 'open') return open(request[1]);
  if (!broker) throw new Error('The broker is not open.');
  if (request[0] !== 'control') return broker[request[0]]();
  const [, ...args] = request;
  return broker.control(args);
}

async function answer(line: string): Promise<void> {
  const result = await perform(JSON.parse(line) as Request).then(
    (value) => ({ value }),
    (error: Error) => ({ error: error.message }),
  );
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

createInterface({ input: process.stdin }).on('line', (line) => {
  last = last.then(() => answer(line));
});
endWithParent(async () => {
  ending.abort();
  await last;
  await broker?.remove();
});
