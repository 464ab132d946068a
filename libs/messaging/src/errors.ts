/** The broker is not connected, or took the message in without confirming it: whether it has it is unknown. */
export class BrokerUnavailableError extends Error {
  override name = 'BrokerUnavailableError';
  readonly code = 'broker-unavailable';
}

/** The broker refused the message: it was nacked, or returned because no queue is bound for it. */
export class PublishRefusedError extends Error {
  override name = 'PublishRefusedError';
  readonly code = 'publish-refused';
}
