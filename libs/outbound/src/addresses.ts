import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/**
 * Where an address leads: `public` for the Internet, `private` for this machine and its networks, `never` for what no
 * configuration opens: link-local, metadata services, and all that is no ordinary unicast address.
 */
export type Reach = 'public' | 'private' | 'never';

/** Ranges that `allowPrivateTargets` opens: loopback, RFC 1918, RFC 6598 (also used by VPNs) and RFC 4193. */
const privateRanges: ReadonlySet<string> = new Set(['loopback', 'private', 'carrierGradeNat', 'uniqueLocal']);

/** Metadata and host services of clouds that lie outside link-local, some of them in ranges that are open otherwise. */
const metadata = [
  '100.100.100.200/32', // Alibaba Cloud
  '168.63.129.16/32', // Azure's host agent, on a public address
  '192.0.0.192/32', // Oracle Cloud, older images
  'fd00:ec2::/32', // AWS: metadata, DNS and time
  'fd20:ce::254/128', // Google Cloud
  'fd00:42::42/128', // Scaleway
].map((range) => ipaddr.parseCIDR(range));

/** RFC 4291 section 2.4: what is assigned so far lies in 2000::/3; RFC 6052: an IPv4 address behind a translator. */
const globalUnicast = ipaddr.parseCIDR('2000::/3');
const nat64 = ipaddr.parseCIDR('64:ff9b::/96');

/**
 * Says where an IP address leads. Pure; takes one address in the notation of a resolver (dotted decimal or RFC 4291,
 * a zone id allowed) and answers `never` for anything else.
 *
 * An IPv4 address inside an IPv6 one is what counts when it is mapped (`::ffff:0:0/96`) or translated (NAT64,
 * `64:ff9b::/96`, in daily use on networks without IPv4). The other ways to hide one (6to4, Teredo, ISATAP, SIIT,
 * IPv4-compatible, locally assigned NAT64) have no use today and lead nowhere.
 */
export function reachOf(text: string): Reach {
  if (isIP(text) === 0 || !ipaddr.isValid(text)) {
    return 'never';
  }
  const address = ipaddr.parse(canonical(text));
  if (metadata.some(([network, bits]) => network.kind() === address.kind() && address.match(network, bits))) {
    return 'never';
  }
  if (isIPv6(address)) {
    const embedded = embeddedIPv4(address);
    if (embedded !== undefined) {
      return reachOf(embedded);
    }
    if (isIsatap(address)) {
      return 'never';
    }
  }
  const range = address.range();
  if (privateRanges.has(range)) {
    return 'private';
  }
  // A list of what is open, not of what is closed: a range this library learns to name later is refused.
  const open = range === 'unicast' && (!isIPv6(address) || address.match(globalUnicast));
  return open ? 'public' : 'never';
}

/** The one notation that leaves no room: ipaddr.js takes `::127.0.0.1`, as resolvers print it, for a mapped address. */
function canonical(text: string): string {
  const [address = ''] = text.split('%');
  return address.includes(':') ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
}

function isIPv6(address: ipaddr.IPv4 | ipaddr.IPv6): address is ipaddr.IPv6 {
  return address.kind() === 'ipv6';
}

function embeddedIPv4(address: ipaddr.IPv6): string | undefined {
  if (address.isIPv4MappedAddress() || address.match(nat64)) {
    return address.toByteArray().slice(12).join('.');
  }
  return undefined;
}

/** RFC 5214: the interface id `[0200:]5efe:<IPv4>` under any prefix. */
function isIsatap({ parts }: ipaddr.IPv6): boolean {
  return (parts[4] === 0 || parts[4] === 0x200) && parts[5] === 0x5efe;
}
