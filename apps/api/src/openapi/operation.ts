import type { Scope } from '@offload/access/secrets';
import type { z } from 'zod';
import type { Slug } from '../contract/problems.ts';
import type { HeaderName } from './headers.ts';

export interface Answer {
  status: number;
  description: string;
  /** @default the answer has no body */
  schema?: z.ZodType;
  example?: unknown;
  mediaType?: string;
  /** Header fields that the answer always has. */
  headers?: HeaderName[];
  /** Header fields that the answer has in some cases. */
  maybe?: HeaderName[];
}

export interface Operation {
  method: 'get' | 'post' | 'put' | 'delete';
  path: string;
  id: string;
  summary: string;
  description?: string;
  /** What the API key must allow; none: everybody may. */
  scope?: Scope;
  /** Of the path. */
  parameters?: z.ZodObject;
  query?: z.ZodObject;
  /** The header fields of the request that this operation reads. */
  takes?: ('Prefer' | 'Idempotency-Key' | 'If-None-Match' | 'traceparent')[];
  body?: { schema: z.ZodType; examples: Record<string, unknown> };
  answers: Answer[];
  problems?: Slug[];
}
