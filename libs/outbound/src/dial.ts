import { lookup } from 'node:dns/promises';
import { isIP, type LookupFunction, type Socket } from 'node:net';
import type { buildConnector } from 'undici';
import { reachOf } from './addresses.ts';
import { RefusedTargetError } from './errors.ts';
import { undici } from './undici.ts';

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

/**
 * One lookup under way for each name, shared by all who ask for it meanwhile; nothing is remembered once it has ended. A
 * lookup of the system can't be cancelled and holds a thread of libuv's pool until it ends, so a name whose DNS hangs
 * holds one at most, however many requests go there and however often they are given up.
 *
 * What remains: lookups get half of the pool, two threads of four. So two names that hang at once still delay all others;
 * four do when UV_THREADPOOL_SIZE is 8. https://docs.libuv.org/en/v1.x/threadpool.html
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
  const reaches = addresses.map(reachOf);
  const inside = reaches.findIndex((reach) => reach === 'never' || (reach === 'private' && !allowPrivateTargets));
  if (inside !== -1) throw new RefusedTargetError(hostname, addresses[inside] ?? '', !reaches.includes('never'));
  return addresses;
}

/**
 * Connects over TCP, trying the addresses of both families side by side (RFC 8305). The socket looks nothing up: its
 * lookup function answers with the checked addresses, so a name that changes in between (DNS rebinding) changes nothing.
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

/** Always answers with the whole list, as `autoSelectFamily` asks for. */
function pinnedLookup(addresses: readonly string[]): LookupFunction {
  return (_hostname, _options, callback) => {
    callback(
      null,
      addresses.map((address) => ({ address, family: isIP(address) })),
    );
  };
}
