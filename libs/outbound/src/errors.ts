/**
 * The target is internal, and nothing was sent. Permanent: a retry changes nothing unless the name gets other
 * addresses.
 */
export class RefusedTargetError extends Error {
  override name = 'RefusedTargetError';
  readonly code = 'refused-target';
  /** The internal address, for the log. The message omits it, because a client that named the target may read that. */
  readonly address: string;

  /** @param opened whether the setting ALLOW_PRIVATE_TARGETS would allow the address */
  constructor(hostname: string, address: string, opened: boolean) {
    const by = opened ? '; ALLOW_PRIVATE_TARGETS=true would allow it' : ' that no setting allows';
    super(`${hostname} is refused: it leads to an internal address${by}`);
    this.address = address;
  }
}

/** The request is invalid, and nothing was sent. Permanent. */
export class InvalidRequestError extends Error {
  override name = 'InvalidRequestError';
  readonly code = 'invalid-request';
}

/** The decompressed body exceeds `maxBytes`, or the head exceeds 16 KiB. Permanent for the same target and limit. */
export class ResponseTooLargeError extends Error {
  override name = 'ResponseTooLargeError';
  readonly code = 'response-too-large';
}

/**
 * The response has a content coding that is not supported, or is not coded as it says. Permanent: the same server would
 * send it again.
 */
export class UnsupportedCodingError extends Error {
  override name = 'UnsupportedCodingError';
  readonly code = 'unsupported-coding';
}

/**
 * The name did not resolve, the connection failed, broke or was too slow, or the response is not HTTP. A retry may
 * succeed. The message is one line; `cause` has the details.
 */
export class NetworkFaultError extends Error {
  override name = 'NetworkFaultError';
  readonly code = 'network-fault';
}

/** The name did not resolve in time. The cause may be the resolver, not the host. */
export class NameTimeoutError extends NetworkFaultError {
  override name = 'NameTimeoutError';
}
