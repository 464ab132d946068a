// Runs a RabbitMQ for a test file that ends, restarts or reconfigures it. TEST_SERVERS chooses a container or an
// embedded broker, which is the default. It answers requests (see requests.ts), and removes the broker with its data
// when its input ends:
//   ["open", settings] → URLs    ["start"]    ["stop"]    ["kill"]    ["wipe"]
//   ["control", ...arguments] → what rabbitmqctl prints
import type { Broker, BrokerUrls } from './broker.ts';
import { embeddedBroker } from './embedded-broker.ts';
import { wantedFlavour } from './flavour.ts';
import { answerRequests } from './requests.ts';
import type { RabbitmqSettings } from '@offload/embedded-servers';

type Request = ['open', RabbitmqSettings] | ['start' | 'stop' | 'kill' | 'wipe'] | ['control', ...string[]];

const ending = new AbortController();
let broker: Broker | undefined;

async function open(settings: RabbitmqSettings): Promise<BrokerUrls> {
  const log = (line: string) => process.stderr.write(`${line}\n`);
  const options = { settings, abort: ending.signal, log };
  if (wantedFlavour() === 'containers') {
    const { containerBroker } = await import('./container-broker.ts'); // loading takes a second of CPU, so only if needed
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

answerRequests((request) => perform(request as Request), {
  abandon: () => ending.abort(),
  remove: async () => broker?.remove(),
});
