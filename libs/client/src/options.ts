import { MAX_TIMER_MS } from './abort.ts';

/** Options of {@link createClient}. */
export interface ClientOptions {
  /** URL of the api. Its path is kept, as in `https://example.com/offload`. Redirects are not followed. */
  baseUrl: string | URL;
  /**
   * Sent as `Authorization: Bearer` to the api and to the host of a job's `links.events`, nowhere else.
   * @default none
   */
  apiKey?: string;
  /** @default the `fetch` of the runtime */
  fetch?: typeof globalThis.fetch;
  /** Milliseconds for one attempt with its whole answer, beside the time that an answer is held. @default 30_000 */
  timeoutMs?: number;
  /** Attempts of one request, the first included, and attempts in a row to open an event stream. @default 5 */
  maxAttempts?: number;
  /** Upper bound of the random pause before the second attempt, in milliseconds; it doubles with each. @default 500 */
  backoffBaseMs?: number;
  /** Highest bound of that pause, in milliseconds. @default 30_000 */
  backoffMaxMs?: number;
  /** A call with a longer `Retry-After` rejects instead of waiting, in milliseconds. @default 60_000 */
  maxRetryAfterMs?: number;
  /**
   * Milliseconds without an event or heartbeat after which an event stream is opened again. A notifier sends a
   * heartbeat every 15 seconds. @default 45_000
   */
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

/** The checked options, with all defaults. */
export interface Settings extends Required<Omit<ClientOptions, 'baseUrl' | 'apiKey'>> {
  /** Ends with a slash. */
  readonly baseUrl: URL;
  readonly apiKey: string | undefined;
}

/** Checks the options and fills in the defaults. @throws TypeError that names the invalid option */
export function checkedOptions(options: ClientOptions): Settings {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as ClientOptions;
  const { apiKey } = given;
  // Called without `this`: browsers refuse another one. Looked up with each call, for programs that replace it.
  const fetch: typeof globalThis.fetch = given.fetch ?? ((input, init) => globalThis.fetch(input, init));
  const settings = { ...DEFAULTS, ...given, apiKey, fetch, baseUrl: checkedBaseUrl(given.baseUrl) };
  wholeNumber('maxAttempts', settings.maxAttempts, 1, 100);
  milliseconds('timeoutMs', settings.timeoutMs, 1);
  milliseconds('backoffBaseMs', settings.backoffBaseMs);
  milliseconds('backoffMaxMs', settings.backoffMaxMs);
  milliseconds('maxRetryAfterMs', settings.maxRetryAfterMs);
  milliseconds('idleTimeoutMs', settings.idleTimeoutMs, 1);
  // fetch would report a key that no header can hold as a network error.
  if (apiKey !== undefined && !/^[\x21-\x7e]+$/.test(apiKey)) {
    throw new TypeError('apiKey: must be visible ASCII characters, at least one');
  }
  return settings;
}

/** @throws TypeError unless the value is a whole number from `min` to `max` */
export function wholeNumber(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new TypeError(`${name}: must be a whole number from ${min} to ${max}`);
}

/** @throws TypeError unless the value is a time that a timer can have */
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
