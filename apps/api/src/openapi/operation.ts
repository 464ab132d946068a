import type { Scope } from '@offload/access/secrets';
import type { z } from 'zod';
import type { Slug } from '../contract/problems.ts';
import type { HeaderName } from './headers.ts';

export interface Answer {
  status: number;
  description: string;
  /** none: the answer has no body */
  schema?: z.ZodType;
  example?: unknown;
  mediaType?: string;
  /** Those it always has. */
  headers?: HeaderName[];
  /** Those it has in some cases. */
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
  /** Request headers that have a meaning here. */
  takes?: ('Prefer' | 'Idempotency-Key' | 'If-None-Match' | 'traceparent')[];
  body?: { schema: z.ZodType; examples: Record<string, unknown> };
  answers: Answer[];
  problems?: Slug[];
}
