// The only library that speaks AMQP (amqplib).
export { connect, type ConnectOptions, type Connection } from './connection.ts';
export { type ChannelSetup } from './kept-channels.ts';
export { type ExchangeDeclaration, type QueueDeclaration, type Topology } from './topology.ts';

export { Printed, text, type BodyFor, type BodyOf, type JsonMessage, type MessageKind } from './message.ts';
export {
  createPublisher,
  type Destination,
  type ForwardOptions,
  type PublishOptions,
  type Publisher,
  type PublisherOptions,
} from './publisher.ts';
export {
  createListPublisher,
  type ListMessage,
  type ListPublisher,
  type ListPublisherOptions,
} from './list-publisher.ts';
export { consume, type Consumer, type ConsumerOptions, type Verdict } from './consumer.ts';
export { type Delivery } from './delivery.ts';
export { UnderWay } from './under-way.ts';
export { whenWritten } from './write-together.ts';
export { subscribe, type SubscriberOptions } from './subscriber.ts';
export { browseQueue, type BrowsedMessage, type BrowseOptions } from './browse-queue.ts';
export { probeQueue, type ProbeOptions, type QueueProbe } from './probe-queue.ts';
export { inspectQueues, type QueueInspector, type QueueStatus } from './inspect-queues.ts';

export { type ConnectionState, type MessageStep, type MessagingEvents } from './messaging-events.ts';
export {
  BrokerRefusedError,
  BrokerUnavailableError,
  DeliveryLostError,
  NotConfirmedError,
  PublishRefusedError,
  TopologyMismatchError,
} from './errors.ts';
