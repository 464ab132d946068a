export { control, type Control } from './command.ts';
export { compareRings, type QueuedJobs, type RingLook } from './compare-dispatches.ts';
export { addressOf, announceWith, jobEvents, type Announce } from './events.ts';
export { registration } from './registration.ts';
export { ring, ringId, type Ring } from './dispatch.ts';
export { exchanges, jobTopology, ringQueue } from './topology.ts';
