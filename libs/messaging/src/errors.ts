/**
 * The message was not confirmed: there is no connection, the channel was lost, or the broker did not answer in time.
 * The message may have arrived. Its `code` is `broker-unavailable`.
 */
export class BrokerUnavailableError extends Error {
  override name = 'BrokerUnavailableError';
  readonly code = 'broker-unavailable';
}

/**
 * The connection is open, but the broker did not confirm the message in time, or the messages before it. The broker may
 * have the message. Its `code` is `broker-unavailable`, too.
 */
export class NotConfirmedError extends BrokerUnavailableError {}

/**
 * The broker refused the connection: the user or password is wrong, or the vhost does not exist, is forbidden, or is
 * full. Its `code` is `broker-refused`.
 */
export class BrokerRefusedError extends Error {
  override name = 'BrokerRefusedError';
  readonly code = 'broker-refused';
}

/**
 * The broker refused the message: it nacked the message, or returned it because no queue is bound for it. Its `code` is
 * `publish-refused`.
 */
export class PublishRefusedError extends Error {
  override name = 'PublishRefusedError';
  readonly code = 'publish-refused';
}

/**
 * The channel of a delivery was lost while its connection stayed open: the broker closed the channel, or cancelled the
 * subscription. The broker delivers the message again. This error's message is the broker's reason, its `code`
 * `delivery-lost`.
 */
export class DeliveryLostError extends Error {
  override name = 'DeliveryLostError';
  readonly code = 'delivery-lost';
}

/**
 * An exchange or queue exists with other arguments than the topology declares. The message names the argument. The
 * `code` is `topology-mismatch`.
 */
export class TopologyMismatchError extends Error {
  override name = 'TopologyMismatchError';
  readonly code = 'topology-mismatch';
}
