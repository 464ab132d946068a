// The only library that speaks AMQP (amqplib).
export { openConnection, type Connection, type ConnectionOptions, type ConnectionState } from './connection.ts';
export { consume, type Consumer, type ConsumerOptions, type DeliveredMessage, type Verdict } from './consumer.ts';
export { BrokerUnavailableError, PublishRefusedError } from './errors.ts';
export { createPublisher, type Publication, type Publisher, type PublisherOptions } from './publisher.ts';
export { subscribe, type SubscriberOptions } from './subscriber.ts';
export { declareTopology, ringQueue, topology } from './topology.ts';
