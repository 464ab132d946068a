// The door @offload/messaging/queues: looks at queues from outside, without consuming their messages.
export { browseQueue, type BrowsedMessage } from './browse-queue.ts';
export { inspectQueues, type QueueInspector, type QueueStatus } from './inspect-queues.ts';
export { probeQueue } from './probe-queue.ts';
