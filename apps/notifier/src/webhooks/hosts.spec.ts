import { describe, expect, it } from '@jest/globals';
import { createMetrics } from '@offload/process';
import { createHosts } from './hosts.ts';

function setup(perHost = 3) {
  const clock = { ms: 0 };
  const metrics = createMetrics();
  const hosts = createHosts(perHost, metrics, () => clock.ms);
  const fail = (times: number): void => {
    for (let n = 0; n < times; n += 1) {
      hosts.begin('a');
      hosts.end('a', true);
    }
  };
  const open = async () => (await metrics.getSingleMetric('offload_webhook_hosts_open')?.get())?.values[0]?.value;
  return { hosts, clock, fail, open, roomOf: (host: string) => hosts.room().get(host) ?? perHost };
}

describe('a host', () => {
  it('gets its number of attempts at once, independent of others', () => {
    const { hosts, roomOf } = setup();
    for (let n = 0; n < 3; n += 1) hosts.begin('a');
    hosts.begin('b');
    expect([...hosts.room()]).toEqual([
      ['a', 0],
      ['b', 2],
    ]);
    hosts.end('a', false);
    expect(roomOf('a')).toBe(1);
  });

  it('is forgotten when it has no failures, and after a while in any case', () => {
    const { hosts, clock, fail } = setup();
    hosts.begin('a');
    hosts.end('a', null);
    expect(hosts.room().size).toBe(0);
    fail(10);
    expect(hosts.room().size).toBe(1);
    clock.ms += 300_001;
    expect(hosts.room().size).toBe(0);
  });
});

describe('the circuit of a host', () => {
  it('opens after ten failures in a row, not after ten in all', async () => {
    const { hosts, fail, roomOf, open } = setup();
    fail(9);
    hosts.begin('a');
    hosts.end('a', false);
    fail(9);
    expect([roomOf('a'), await open()]).toEqual([3, 0]);
    fail(1);
    expect([roomOf('a'), await open()]).toEqual([0, 1]);
  });

  it('allows one probe after its pause; a failed probe doubles the pause, to a minute at most', () => {
    const { hosts, clock, fail, roomOf } = setup();
    fail(10);
    const pauses: number[] = [];
    for (let n = 0; n < 8; n += 1) {
      const since = clock.ms;
      while (roomOf('a') === 0) clock.ms += 1_000;
      pauses.push(clock.ms - since);
      expect(roomOf('a')).toBe(1);
      hosts.begin('a');
      expect(roomOf('a')).toBe(0);
      hosts.end('a', true);
    }
    expect(pauses).toEqual([2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  });

  it('closes when the probe is answered', () => {
    const { hosts, clock, fail, roomOf } = setup();
    fail(10);
    clock.ms += 2_000;
    hosts.begin('a');
    hosts.end('a', false);
    expect(roomOf('a')).toBe(3);
  });

  it('does not stay open for longer because of attempts that were running when it opened', () => {
    const { hosts, clock, fail, roomOf } = setup();
    hosts.begin('a');
    hosts.begin('a');
    fail(10);
    clock.ms += 1_000;
    hosts.end('a', true);
    clock.ms += 1_500; // the pause is over by now
    hosts.end('a', true);
    expect(roomOf('a')).toBe(1);
  });

  it('allows another probe when the outcome of the last one is unknown', () => {
    const { hosts, clock, fail, roomOf } = setup();
    fail(10);
    clock.ms += 2_000;
    hosts.begin('a');
    hosts.end('a', null);
    expect(roomOf('a')).toBe(1);
  });
});
