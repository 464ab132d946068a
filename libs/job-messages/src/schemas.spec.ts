import { describe, expect, it } from '@jest/globals';
import type { Job } from '@offload/jobs';
import { eventOf } from '@offload/jobs/events';
import { control } from './command.ts';
import { addressOf } from './events.ts';
import { dispatch } from './dispatch.ts';

const jobId = '019ac5f8-9f4c-7a3e-8d27-3f1f6f0f7c55';

describe('a dispatch message and a command', () => {
  it('are about a job with an id', () => {
    expect(dispatch.schema.safeParse({ jobId, type: 'demo.sleep' }).success).toBe(true);
    expect(dispatch.schema.safeParse({ jobId: 'seven', type: 'demo.sleep' }).success).toBe(false);
    expect(control.schema.safeParse({ command: 'liveness-check' }).success).toBe(true);
    for (const command of [{ command: 'cancel' }, { command: 'cancel', jobId: 'seven' }, { command: 'stop' }]) {
      expect([command, control.schema.safeParse(command).success]).toEqual([command, false]);
    }
  });
});

it('an event says outside its body what it is and of which job', () => {
  const event = eventOf({ id: jobId, status: 'failed', version: 7 } as Job);
  expect(addressOf(event)).toEqual({ routingKey: 'job.failed', correlationId: jobId });
});
