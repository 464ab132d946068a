import { lookup } from 'node:dns/promises';
import { isIP, type LookupFunction, type Socket } from 'node:net';
import type { buildConnector } from 'undici';
import { reachOf } from './addresses.ts';
import { RefusedTargetError } from './errors.ts';
import { undici } from './undici.ts';

/** Finds all addresses of a name. Rejects when there are none. */
export type Resolve = (hostname: string) => Promise<readonly string[]>;

/** Connects to one of `addresses` and to no other. For `https:` the connection has TLS, verified for `hostname`. */
export type Connect = (target: Target) => Promise<Socket>;

/** The target of a connection: the name for TLS and the `host` field, and the checked addresses. */
export interface Target {
  protocol: string;
  hostname: string;
  /** Empty for the default port of the protocol. */
  port: string;
  /** The name that TLS sends and verifies; undefined for IP literals. */
  servername: string | undefined;
  addresses: readonly string[];
}

/** The resolver of the operating system, with `/etc/hosts`. */
export const resolveBySystem: Resolve = async (hostname) => {
  const found = await lookup(hostname, { all: true, order: 'verbatim' });
  return found.map(({ address }) => address);
};

/**
 * Shares one running lookup of a name among all requests for it. Nothing is cached after the lookup.
 *
 * A lookup of the operating system can't be cancelled and blocks a thread of libuv's pool until it ends. So a name
 * whose DNS hangs blocks one thread at most, for any number of requests. Lookups get half of the pool, two threads of
 * four: two hanging names still delay all others. https://docs.libuv.org/en/v1.x/threadpool.html
 */
export function oncePerName(resolve: Resolve): Resolve {
  const underWay = new Map<string, Promise<readonly string[]>>();
  return (hostname) => {
    const known = underWay.get(hostname);
    if (known) return known;
    const asked = resolve(hostname).finally(() => underWay.delete(hostname));
    underWay.set(hostname, asked);
    return asked;
  };
}

/** @returns the name for TLS, without a final dot; undefined for IP literals (RFC 6066 section 3) */
export function servernameOf(hostname: string): string | undefined {
  return isIP(hostname) === 0 ? hostname.replace(/\.$/, '') : undefined;
}

/**
 * Resolves `hostname` and checks its addresses. A name with one internal address is refused as a whole, because the
 * owner of the name could choose which address a connection gets.
 *
 * @throws RefusedTargetError when an address is internal
 */
export async function checkedAddresses(
  hostname: string,
  resolve: Resolve,
  allowPrivateTargets: boolean,
): Promise<readonly string[]> {
  const addresses = isIP(hostname) === 0 ? await resolve(hostname) : [hostname];
  const reaches = addresses.map(reachOf);
  const inside = reaches.findIndex((reach) => reach === 'never' || (reach === 'private' && !allowPrivateTargets));
  if (inside !== -1) throw new RefusedTargetError(hostname, addresses[inside] ?? '', !reaches.includes('never'));
  return addresses;
}

/**
 * Connects over TCP, and tries IPv4 and IPv6 side by side (RFC 8305). The lookup function of the socket returns the
 * checked addresses, so a name that changes after the check (DNS rebinding) has no effect.
 */
export function connectBySocket(connectTimeoutMs: number): Connect {
  return ({ addresses, protocol, hostname, port, servername }) => {
    const connector = undici().buildConnector({
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

/** A lookup function that always returns the whole list, as `autoSelectFamily` requires. */
function pinnedLookup(addresses: readonly string[]): LookupFunction {
  return (_hostname, _options, callback) => {
    callback(
      null,
      addresses.map((address) => ({ address, family: isIP(address) })),
    );
  };
}
