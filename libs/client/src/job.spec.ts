import { expect, it } from '@jest/globals';
import type { JobTypeInfo, JobWithLinks, QueueInfo, WorkerInfo } from '@offload/jobs/answers';
import type { JobRegistration } from '@offload/jobs/definitions';
import type { EventName } from '@offload/jobs/events';
import type { WebhookDelivery } from '@offload/jobs/webhooks';
import type { Delivery } from './deliveries.ts';
import type * as job from './job.ts';
import type * as jobTypes from './job-types.ts';
import type * as queuesAndWorkers from './queues-and-workers.ts';

/** `true` where each type accepts all values of the other. */
type Same<A, B> = [A, B] extends [B, A] ? true : false;

it('has the types of the schemas', () => {
  const same: [
    Same<job.Job, JobWithLinks>,
    Same<job.EventName, EventName>,
    Same<Delivery, Readonly<WebhookDelivery>>,
    Same<jobTypes.JobTypeInfo, JobTypeInfo>,
    Same<jobTypes.JobRegistration, JobRegistration>,
    Same<queuesAndWorkers.QueueInfo, QueueInfo>,
    Same<queuesAndWorkers.WorkerInfo, WorkerInfo>,
  ] = [true, true, true, true, true, true, true];
  expect(same).not.toContain(false); // a difference does not compile
});
