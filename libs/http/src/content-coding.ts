import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { Problem } from './problem.ts';

/** The content codings in which bodies are read (RFC 9110 section 8.4.1); the last depends on Node.js. */
const decoders: Record<string, () => Transform> = {
  gzip: zlib.createGunzip,
  'x-gzip': zlib.createGunzip, // the same (section 8.4.1.3)
  deflate: zlib.createInflate,
  br: zlib.createBrotliDecompress,
  ...('createZstdDecompress' in zlib && { zstd: zlib.createZstdDecompress as () => Transform }),
};

/**
 * What decodes a body of this `Content-Encoding`, as it comes; null where it is not encoded.
 *
 * @throws Problem 415 `unsupported-media-type` with the codings that are known, of which one is taken
 */
export function decoderOf(contentEncoding = ''): Transform | null {
  const coding = contentEncoding.trim().toLowerCase();
  if (coding === '' || coding === 'identity') return null;
  if (Object.hasOwn(decoders, coding)) return (decoders[coding] as () => Transform)();
  const known = Object.keys(decoders).filter((name) => !name.startsWith('x-'));
  const headers = { 'Accept-Encoding': known.join(', ') };
  const detail = coding.includes(',') ? 'one content coding is taken, not several' : 'its content coding is not known';
  throw new Problem(415, 'unsupported-media-type', 'The media type is not supported', detail, { headers });
}
