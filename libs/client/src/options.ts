import { MAX_TIMER_MS } from './abort.ts';

export interface ClientOptions {
  /** Where the api is; a path is kept, as in `https://example.com/offload`. Redirects are not followed. */
  baseUrl: string | URL;
  /** Goes as `Authorization: Bearer` to the api and to where a job's `links.events` leads, nowhere else. @default none */
  apiKey?: string;
  /** @default the `fetch` of the runtime */
  fetch?: typeof globalThis.fetch;
  /** Of each attempt until the whole answer is here, in milliseconds; what is asked to be held has that besides. @default 30_000 */
  timeoutMs?: number;
  /** Attempts of one request, the first included; an event stream's, in a row, to connect. @default 5 */
  maxAttempts?: number;
  /** Upper bound of the random pause before the second attempt, in milliseconds; it doubles with each. @default 500 */
  backoffBaseMs?: number;
  /** That bound never exceeds this, in milliseconds. @default 30_000 */
  backoffMaxMs?: number;
  /** A longer `Retry-After` is not waited for, but thrown with the answer, in milliseconds. @default 60_000 */
  maxRetryAfterMs?: number;
  /** An event stream without even a heartbeat, of which there is one in 15 s, is opened again, in milliseconds. @default 45_000 */
  idleTimeoutMs?: number;
}

const SECOND = 1_000;

const DEFAULTS = {
  timeoutMs: 30 * SECOND,
  maxAttempts: 5,
  backoffBaseMs: SECOND / 2,
  backoffMaxMs: 30 * SECOND,
  maxRetryAfterMs: 60 * SECOND,
  idleTimeoutMs: 45 * SECOND,
} satisfies Partial<ClientOptions>;

/** The options, checked, with every default filled in. */
export interface Settings extends Required<Omit<ClientOptions, 'baseUrl' | 'apiKey'>> {
  /** ends with a slash */
  readonly baseUrl: URL;
  readonly apiKey: string | undefined;
}

/** @throws TypeError that names the option at fault */
export function checkedOptions(options: ClientOptions): Settings {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as ClientOptions;
  const { apiKey } = given;
  // Called bare: browsers refuse a fetch whose `this` is somebody else's. Looked up late, for those who replace it.
  const fetch: typeof globalThis.fetch = given.fetch ?? ((input, init) => globalThis.fetch(input, init));
  const settings = { ...DEFAULTS, ...given, apiKey, fetch, baseUrl: checkedBaseUrl(given.baseUrl) };
  wholeNumber('maxAttempts', settings.maxAttempts, 1, 100);
  milliseconds('timeoutMs', settings.timeoutMs, 1);
  milliseconds('backoffBaseMs', settings.backoffBaseMs);
  milliseconds('backoffMaxMs', settings.backoffMaxMs);
  milliseconds('maxRetryAfterMs', settings.maxRetryAfterMs);
  milliseconds('idleTimeoutMs', settings.idleTimeoutMs, 1);
  // fetch would take what no header can hold for a fault of the network.
  if (apiKey !== undefined && !/^[\x21-\x7e]+$/.test(apiKey)) {
    throw new TypeError('apiKey: must be visible ASCII characters, at least one');
  }
  return settings;
}

/** @throws TypeError unless the value is one of the whole numbers from `min` to `max` */
export function wholeNumber(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new TypeError(`${name}: must be a whole number from ${min} to ${max}`);
}

/** @throws TypeError unless a timer can wait for so long */
export function milliseconds(name: string, value: number, min = 0): void {
  if (value >= min && value <= MAX_TIMER_MS) return;
  throw new TypeError(`${name}: must be from ${min} to ${MAX_TIMER_MS} milliseconds`);
}

function checkedBaseUrl(given: string | URL): URL {
  if (!URL.canParse(given)) throw new TypeError('baseUrl: must be an absolute URL');
  const url = new URL(given);
  if (!/^https?:$/.test(url.protocol)) throw new TypeError('baseUrl: must begin with http: or https:');
  if (url.username !== '' || url.password !== '') throw new TypeError('baseUrl: must not contain a user or password');
  if (url.search !== '' || url.hash !== '') throw new TypeError('baseUrl: must end with its path');
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}
