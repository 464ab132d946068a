import { EventEmitter } from 'node:events';
import { expect, it } from '@jest/globals';
import { createBrokerTelemetry } from './broker-telemetry.ts';
import { createLogger } from './logger.ts';
import { Registry } from './metrics.ts';

function setup() {
  const registry = new Registry();
  const log = createLogger('spec', { level: 'silent', instance: 'spec' });
  const lines: string[] = [];
  log.info = ((_context: unknown, message: string) => void lines.push(message)) as typeof log.info;
  log.warn = ((_context: unknown, message: string) => void lines.push(message)) as typeof log.warn;
  log.error = ((_context: unknown, message: string) => void lines.push(message)) as typeof log.error;
  const telemetry = createBrokerTelemetry(log, registry);
  const events = new EventEmitter();
  telemetry.observe(events, 'publishes');
  const sample = async (line: string) => {
    const [, value] =
      (await registry.metrics())
        .split('\n')
        .find((each) => each.startsWith(`${line} `))
        ?.split(' ') ?? [];
    return value === undefined ? undefined : Number(value);
  };
  return { events, lines, sample };
}

it('counts each step of each message, and the messages in flight', async () => {
  const { events, sample } = setup();
  for (const step of ['published', 'published', 'confirmed', 'consumed', 'consumed', 'rejected', 'consumed']) {
    events.emit('message', step, 'jobs');
  }
  expect(await sample('offload_broker_messages_total{step="published",where="jobs"}')).toBe(2);
  expect(await sample('offload_broker_messages_total{step="consumed",where="jobs"}')).toBe(3);
  expect(await sample('offload_broker_messages_in_flight{direction="out"}')).toBe(1);
  expect(await sample('offload_broker_messages_in_flight{direction="in"}')).toBe(2);
  for (const step of ['unconfirmed', 'lost', 'acked']) events.emit('message', step, 'jobs');
  expect(await sample('offload_broker_messages_in_flight{direction="out"}')).toBe(0);
  expect(await sample('offload_broker_messages_in_flight{direction="in"}')).toBe(0);
});

it('shows the state, and counts the reconnects but not the first connection', async () => {
  const { events, sample, lines } = setup();
  const state = (name: string) => sample(`offload_broker_connection_state{role="publishes",state="${name}"}`);
  const reconnects = () => sample('offload_broker_reconnects_total{role="publishes"}');
  expect([await state('connecting'), await reconnects()]).toEqual([1, 0]);
  for (const [name, reason] of [['connecting', 'ECONNREFUSED'], ['open'], ['blocked', 'low on memory'], ['open']]) {
    events.emit('state', name, reason);
  }
  expect([await state('connecting'), await state('open'), await reconnects()]).toEqual([0, 1, 0]);
  for (const [name, reason] of [['connecting', 'ECONNRESET'], ['connecting', 'ECONNREFUSED'], ['open']]) {
    events.emit('state', name, reason);
  }
  expect([await state('open'), await reconnects()]).toEqual([1, 1]);
  expect(lines.at(-1)).toBe('broker open (publishes)');
});

it('logs the fault of a message, and the reason for a lost channel', () => {
  const { events, lines } = setup();
  events.emit('channelLost', 'PRECONDITION_FAILED');
  events.emit('fault', new Error('rejected: not JSON'), { where: 'jobs.default', messageId: '1' });
  expect(lines).toEqual(['the broker closed a channel (publishes)', 'message failed']);
});
