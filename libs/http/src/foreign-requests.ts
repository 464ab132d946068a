import { isIPv4 } from 'node:net';
import type { Request, RequestHandler } from 'express';
import { z } from 'zod';
import { clipped, Problem } from './problem.ts';

/** Host names in lower case without ports, beside those of the loopback interface. `any` switches the check off. */
export type AllowedHosts = readonly string[] | 'any';

/** Parses `ALLOWED_HOSTS`: names or addresses without ports, separated by commas, or `*` alone, which allows any. */
export const allowedHostNames = z.string().transform((text, context): AllowedHosts => {
  if (text.trim() === '*') return 'any';
  const names = text.split(',').map((entry) => entry.trim().toLowerCase());
  for (const name of names) {
    const url = URL.canParse(`http://${name}/`) ? new URL(`http://${name}/`) : null;
    if (url?.hostname !== name || name.includes('*'))
      context.addIssue(`"${name}" is not a host name: write it without scheme, port and path`);
  }
  return names;
});

/** The settings of a process that decide which host names it answers for. */
export interface HostSettings {
  API_KEYS: readonly unknown[];
  AUTH?: 'off' | undefined;
  ALLOWED_HOSTS?: AllowedHosts | undefined;
}

/**
 * The host names that a process answers for. Without `ALLOWED_HOSTS`, an unprotected process answers for the loopback
 * interface alone. That stops DNS rebinding: a page whose name was rebound to 127.0.0.1 sends that name as `Host`. API
 * keys or a guard in front (`AUTH=off`) keep such a page out, so any host name is allowed then.
 */
export function allowedHosts({ API_KEYS, AUTH, ALLOWED_HOSTS }: HostSettings): AllowedHosts {
  return ALLOWED_HOSTS ?? (API_KEYS.length > 0 || AUTH === 'off' ? 'any' : []);
}

/**
 * Refuses requests that a browser sends for a page that may not call, on every path and with every method:
 *
 * - 421 `misdirected-request` if `Host` names another host (RFC 9110 section 15.5.20). This stops DNS rebinding, which
 *   makes a foreign page look like one of the same origin.
 * - 403 `foreign-page` if the page has another origin that is not in `origins`. `Sec-Fetch-Site` shows this
 *   (https://www.w3.org/TR/fetch-metadata/); browsers send it to loopback addresses and over TLS. Elsewhere `Origin`
 *   shows it, which browsers send with every method but GET and HEAD. A link that a person follows is served.
 *
 * @param hosts see {@link allowedHosts}
 * @param origins see `corsOrigins`
 */
export function refuseForeign(hosts: AllowedHosts, origins: readonly string[]): RequestHandler {
  /** The last allowed host: most callers name the same one, so the check is skipped for it. */
  let known: string | undefined;
  return (request, _response, next) => {
    const { host } = request.headers;
    if (host !== undefined && host !== known && hosts !== 'any' && !isAllowed(nameOf(host), hosts)) {
      const detail = `This process does not answer for the host "${clipped(host)}". Call it as 127.0.0.1 or localhost, or add the name to ALLOWED_HOSTS.`;
      throw new Problem(421, 'misdirected-request', 'Misdirected request', detail);
    }
    known = host;
    if (isForeignPage(request, origins)) {
      const detail = 'A page of another origin has sent this request. Add its origin to CORS_ORIGINS to let it call.';
      throw new Problem(403, 'foreign-page', 'Pages of this origin may not call', detail);
    }
    next();
  };
}

/** The host name without its port and without the dot that ends an absolute name. */
function nameOf(host: string): string {
  return host.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '');
}

/** Browsers never look up localhost and names below it (RFC 6761 section 6.3), so a page cannot rebind them. */
function isAllowed(name: string, hosts: readonly string[]): boolean {
  const isLoopback = name === '[::1]' || (isIPv4(name) && name.startsWith('127.')) || /(^|\.)localhost$/.test(name);
  return isLoopback || hosts.includes(name);
}

function isForeignPage({ method, headers }: Request, origins: readonly string[]): boolean {
  const { origin, host } = headers;
  if (origins.includes('*') || (origin !== undefined && origins.includes(origin))) return false;
  const site = headers['sec-fetch-site'];
  const onlyReads = method === 'GET' || method === 'HEAD';
  if (site === undefined)
    return !onlyReads && method !== 'OPTIONS' && origin !== undefined && !isOriginOf(origin, host);
  if (site === 'same-origin' || site === 'none') return false;
  return !(onlyReads && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document');
}

function isOriginOf(origin: string, host: string | undefined): boolean {
  return URL.canParse(origin) && new URL(origin).host === host?.toLowerCase();
}
