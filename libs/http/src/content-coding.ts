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
 * Makes the decoder for a body with this `Content-Encoding`; null where the body is not encoded.
 *
 * @throws Problem 415 `unsupported-media-type` for an unknown coding or for several. The problem lists the known ones.
 */
export function decoderOf(contentEncoding = ''): Transform | null {
  const coding = contentEncoding.trim().toLowerCase();
  if (coding === '' || coding === 'identity') return null;
  if (Object.hasOwn(decoders, coding)) return (decoders[coding] as () => Transform)();
  const known = Object.keys(decoders).filter((name) => !name.startsWith('x-'));
  const headers = { 'Accept-Encoding': known.join(', ') };
  const detail = coding.includes(',') ? 'only one content coding is accepted' : 'this content coding is not supported';
  throw new Problem(415, 'unsupported-media-type', 'The media type is not supported', detail, { headers });
}
