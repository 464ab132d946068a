import { expect, it } from '@jest/globals';
import { consumerTimeoutFault } from './consumer-timeout.ts';

/** RabbitMQ's words. */
const reason = (ms: number) =>
  'Channel closed by server: 406 (PRECONDITION-FAILED) with message "PRECONDITION_FAILED - delivery acknowledgement on ' +
  `channel 1 timed out. Timeout value used: ${ms} ms. This timeout value can be configured, see consumers doc guide"`;

it("names the broker's consumer_timeout when a job may take longer", () => {
  expect(consumerTimeoutFault(reason(1_800_000))).toMatch(/is 1800000 ms, but a job may take 7200000 ms/);
  expect(consumerTimeoutFault(reason(7_200_000))).not.toBeNull();
});

it.each([reason(10_800_000), 'PRECONDITION_FAILED - unknown delivery tag 999'])('says nothing of %p', (other) => {
  expect(consumerTimeoutFault(other)).toBeNull();
});
