import type { ApiName, KeyName } from './world.ts';

/** The status of a job that a row needs. */
export type Given = 'scheduled' | 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled';

/** A request of a client. `{id}`, `{etag}` and `{unique}` in its texts are filled in. */
export interface Asked {
  /** @default GET, or POST with a body */
  method?: string;
  path: string;
  headers?: Record<string, string>;
  /** A body that is sent as JSON. */
  body?: unknown;
  /** A body that is sent unchanged, without a media type. */
  octets?: string | Uint8Array;
  /** The name of its API key, for the api that requires keys. */
  by?: KeyName;
  /** @default open; with a key guarded */
  at?: ApiName;
}
