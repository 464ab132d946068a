import { lookup } from 'node:dns/promises';
import { isIP, type LookupFunction, type Socket } from 'node:net';
import { buildConnector } from 'undici';
import { reachOf } from './addresses.ts';
import { RefusedTargetError } from './errors.ts';

/** Finds every address of a name; rejects when there is none. */
export type Resolve = (hostname: string) => Promise<readonly string[]>;

/** Opens a connection (for `https:` with TLS on it, verified for `hostname`) to one of `addresses` and nothing else. */
export type Connect = (target: Target) => Promise<Socket>;

/** Where a connection goes: the name, for TLS and the `host` field, and the addresses that were checked for it. */
export interface Target {
  protocol: string;
  hostname: string;
  /** Empty for the protocol's own port. */
  port: string;
  /** The name that TLS asks for and verifies; absent for IP literals. */
  servername: string | undefined;
  addresses: readonly string[];
}

/** The system's resolver, `/etc/hosts` included. */
export const resolveBySystem: Resolve = async (hostname) => {
  const found = await lookup(hostname, { all: true, order: 'verbatim' });
  return found.map(({ address }) => address);
};

/** @returns the name for TLS: RFC 6066 section 3 has neither IP literals nor the final dot in it. */
export function servernameOf(hostname: string): string | undefined {
  return isIP(hostname) === 0 ? hostname.replace(/\.$/, '') : undefined;
}

/**
 * The addresses of `hostname` that may be connected to: all of them, or none. A name with one address inside is refused
 * as a whole: whoever controls it chooses which one a connection would get.
 * @throws RefusedTargetError when an address leads inside
 */
export async function checkedAddresses(
  hostname: string,
  resolve: Resolve,
  allowPrivateTargets: boolean,
): Promise<readonly string[]> {
  const addresses = isIP(hostname) === 0 ? await resolve(hostname) : [hostname];
  for (const address of addresses) {
    const reach = reachOf(address);
    if (reach === 'never' || (reach === 'private' && !allowPrivateTargets)) {
      throw new RefusedTargetError(hostname, address);
    }
  }
  return addresses;
}

/**
 * Connects over TCP, trying the addresses of both families side by side (RFC 8305). The socket looks nothing up: its
 * lookup function answers with the checked addresses, so a name that changes in between (DNS rebinding) changes nothing.
 */
export function connectBySocket(connectTimeoutMs: number): Connect {
  return ({ addresses, protocol, hostname, port, servername }) => {
    const connector = buildConnector({
      timeout: connectTimeoutMs,
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: 500,
      lookup: pinnedLookup(addresses),
    } as buildConnector.BuildOptions);
    return new Promise((resolve, reject) => {
      connector({ protocol, hostname, port, servername }, (error, socket) =>
        error ? reject(error) : resolve(socket as Socket),
      );
    });
  };
}

/** Always answers with the whole list, as `autoSelectFamily` asks for. */
function pinnedLookup(addresses: readonly string[]): LookupFunction {
  return (_hostname, _options, callback) => {
    callback(
      null,
      addresses.map((address) => ({ address, family: isIP(address) })),
    );
  };
}
