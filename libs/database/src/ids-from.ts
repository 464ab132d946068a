/** The lowest UUIDv7 of a moment (RFC 9562 section 5.7): every id that was made earlier is lower. */
export function idsFrom(unixMs: number): string {
  const hex = Math.min(Math.max(0, Math.trunc(unixMs)), 0xffff_ffff_ffff)
    .toString(16)
    .padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}
