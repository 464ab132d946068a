const version00 = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;
const later = /^(?!ff|00)[0-9a-f]{2}(-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2})(?:-|$)/;

/**
 * Reads the W3C trace context in the field `traceparent`, in its version 00; null when it is missing or malformed
 * (https://www.w3.org/TR/trace-context/#traceparent-header, "Versioning of traceparent").
 */
export function traceparent(field: string | undefined): string | null {
  if (field === undefined || field.length > 512) return null;
  if (version00.test(field)) return field;
  const [, known] = later.exec(field) ?? [];
  return known === undefined ? null : `00${known}`;
}
