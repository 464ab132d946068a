// Messaging is the only library that speaks AMQP (amqplib).
export { connect, type ConnectOptions, type Connection } from './connection.ts';
export { type QueueDeclaration, type Topology } from './topology.ts';

export { RawJson, text, type MessageKind } from './message.ts';
export { type PublisherOptions } from './publish-options.ts';
export { createPublisher, type Publisher } from './publisher.ts';
export { createListPublisher, type ListPublisher } from './list-publisher.ts';
export { consume, type Consumer, type Verdict } from './consumer.ts';
export { type Delivery } from './delivery.ts';
export { UnderWay } from './under-way.ts';
export { whenWritten } from './write-together.ts';
export { subscribe, type SubscriberOptions } from './subscriber.ts';

export { type MessageStep } from './messaging-events.ts';
export {
  BrokerRefusedError,
  BrokerUnavailableError,
  DeliveryLostError,
  NotConfirmedError,
  PublishRefusedError,
  TopologyMismatchError,
} from './errors.ts';
