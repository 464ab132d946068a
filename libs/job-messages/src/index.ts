export { control, type Control } from './command.ts';
export { compareDispatches, type QueuedJobs, type DispatchLook } from './compare-dispatches.ts';
export { addressOf, publishEventsWith, jobEvents, type PublishEvent } from './events.ts';
export { registration } from './registration.ts';
export { dispatch, dispatchId, type Dispatch } from './dispatch.ts';
export { exchanges, jobTopology, dispatchQueue } from './topology.ts';
