/** The target is inside, so nothing was sent. Permanent: asking again changes nothing unless the name moves. */
export class RefusedTargetError extends Error {
  override name = 'RefusedTargetError';
  readonly code = 'refused-target';
  /** The address that led inside: for the log. The message leaves it out, since it may go to whoever named the target. */
  readonly address: string;

  /** @param opened whether the setting of the processes lets such an address through */
  constructor(hostname: string, address: string, opened: boolean) {
    const by = opened ? '; ALLOW_PRIVATE_TARGETS=true would let it through' : ' that no setting lets through';
    super(`${hostname} is refused: it leads to an address inside${by}`);
    this.address = address;
  }
}

/** The request can't be sent as it was given; nothing was sent. Permanent. */
export class InvalidRequestError extends Error {
  override name = 'InvalidRequestError';
  readonly code = 'invalid-request';
}

/**
 * The response's body, decompressed, is longer than `maxBytes`, or its head longer than 16 KiB. Permanent for the same
 * target and limit.
 */
export class ResponseTooLargeError extends Error {
  override name = 'ResponseTooLargeError';
  readonly code = 'response-too-large';
}

/**
 * The response's body has a content coding that can't be taken off, or is not coded as it says. Permanent: the same
 * server would send it again.
 */
export class UnsupportedCodingError extends Error {
  override name = 'UnsupportedCodingError';
  readonly code = 'unsupported-coding';
}

/**
 * The name didn't resolve, the connection failed, broke off or took too long, or what came back is no HTTP. Worth another
 * try. The message is one plain line; all there is to know is in `cause`.
 */
export class NetworkFaultError extends Error {
  override name = 'NetworkFaultError';
  readonly code = 'network-fault';
}

/** The name wasn't found out in time: that may be the fault of whoever resolves names, not of the host. */
export class NameTimeoutError extends NetworkFaultError {
  override name = 'NameTimeoutError';
}
