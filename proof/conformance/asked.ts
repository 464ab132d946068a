import type { ApiName, KeyName } from './world.ts';

/** A job that a row needs, by what has become of it. */
export type Given = 'scheduled' | 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled';

/** One request as a client sends it. `{id}`, `{etag}` and `{unique}` in its texts are filled in. */
export interface Asked {
  /** @default GET, or POST with a body */
  method?: string;
  path: string;
  headers?: Record<string, string>;
  /** Sent as JSON. */
  body?: unknown;
  /** A body sent as it is, with no media type of its own. */
  octets?: string | Uint8Array;
  /** Whose API key goes with it, to the api that asks for keys. */
  by?: KeyName;
  /** @default open, or guarded with a key */
  at?: ApiName;
}
