/** The message was not confirmed: there is no connection, or it was lost, or the broker did not answer in time. */
export class BrokerUnavailableError extends Error {
  override name = 'BrokerUnavailableError';
  readonly code = 'broker-unavailable';
}

/**
 * The broker did not confirm the message in time, or those that it had to wait for, although the connection is open: it may or
 * may not have it.
 */
export class NotConfirmedError extends BrokerUnavailableError {}

/** The broker does not let us in: wrong user or password, or a vhost that is not there or not ours. */
export class BrokerRefusedError extends Error {
  override name = 'BrokerRefusedError';
  readonly code = 'broker-refused';
}

/** The broker refused the message: it was nacked, or returned because no queue is bound for it. */
export class PublishRefusedError extends Error {
  override name = 'PublishRefusedError';
  readonly code = 'publish-refused';
}

/**
 * The channel of a delivery was lost while its connection stayed open: the broker closed it, or cancelled the
 * subscription. The broker hands the message out again. The message of this error has the broker's reason.
 */
export class DeliveryLostError extends Error {
  override name = 'DeliveryLostError';
  readonly code = 'delivery-lost';
}

/** An exchange or queue exists already with other arguments than those that are to be declared. */
export class TopologyMismatchError extends Error {
  override name = 'TopologyMismatchError';
  readonly code = 'topology-mismatch';
}
