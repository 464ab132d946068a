import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/**
 * The network of an address. Only a setting opens `private`: this machine and its networks. No setting opens `never`:
 * link-local addresses, metadata services, and everything that is not ordinary unicast.
 */
export type Reach = 'public' | 'private' | 'never';

/** Ranges that `allowPrivateTargets` opens: loopback, RFC 1918, RFC 6598 (also used by VPNs) and RFC 4193. */
const privateRanges: ReadonlySet<string> = new Set(['loopback', 'private', 'carrierGradeNat', 'uniqueLocal']);

/** Metadata and host services of clouds outside link-local, some of them in ranges that are open otherwise. */
const metadata = [
  '100.100.100.200/32', // Alibaba Cloud
  '168.63.129.16/32', // Azure's host agent, on a public address
  '192.0.0.192/32', // Oracle Cloud, older images
  'fd00:ec2::/32', // AWS: metadata, DNS and time
  'fd20:ce::254/128', // Google Cloud
  'fd00:42::42/128', // Scaleway
].map((range) => ipaddr.parseCIDR(range));

/** RFC 4291 section 2.4: all assigned addresses lie in 2000::/3. RFC 6052: an IPv4 address behind a translator. */
const globalUnicast = ipaddr.parseCIDR('2000::/3');
const nat64 = ipaddr.parseCIDR('64:ff9b::/96');

/**
 * Classifies an IP address. It accepts one address in the notation of a resolver: dotted decimal or RFC 4291, with or
 * without a zone id. Other text is `never`.
 *
 * Of an IPv6 address that contains an IPv4 address, the IPv4 address counts if it is mapped (`::ffff:0:0/96`) or
 * translated (NAT64, `64:ff9b::/96`, common on networks without IPv4). The other forms are `never`, because they have
 * no use today: 6to4, Teredo, ISATAP, SIIT, IPv4-compatible and locally assigned NAT64.
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
  // A list of open ranges: a range that ipaddr.js names in a later version is refused.
  const open = range === 'unicast' && (!isIPv6(address) || address.match(globalUnicast));
  return open ? 'public' : 'never';
}

/** Converts to one notation, because ipaddr.js reads `::127.0.0.1`, as resolvers print it, as a mapped address. */
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
