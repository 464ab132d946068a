// Formats numbers, durations and foreign text for sentences.

/** `1 job`, `2 jobs` */
export function counted(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** `0.3 s`, `2 min 5 s`, `3 h 10 min`, `4 d 2 h` */
export function span(ms: number): string {
  if (ms < 10_000) return `${(Math.max(ms, 0) / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** `2026-11-21 07:31:02Z` */
export function instant(at: Date): string {
  return `${at.toISOString().slice(0, 19).replace('T', ' ')}Z`;
}

/** Removes control characters from foreign text, which a terminal would execute. */
export function harmless(text: string, keep: 'nothing' | 'lines' = 'nothing'): string {
  const controls = keep === 'lines' ? /(?![\n\t])[\p{Cc}\p{Cf}]/gu : /[\p{Cc}\p{Cf}]/gu;
  return text.replaceAll(controls, (each) => `\\u{${(each.codePointAt(0) ?? 0).toString(16)}}`);
}
