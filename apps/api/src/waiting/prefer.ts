/** Longest wait, in seconds: proxies and clients give up a request that is silent for a minute. */
const MOST_SECONDS = 60;

/**
 * Reads the preference `wait` of a `Prefer` header field (RFC 7240 section 4.3), in whole seconds, 60 at most.
 *
 * @param prefer the value of the field; Node.js joins several lines with commas
 * @returns null if there is no such preference, or it has no number of seconds: the api ignores unknown preferences
 *   (section 2)
 */
export function waitSeconds(prefer = ''): number | null {
  for (const element of split(prefer, ',')) {
    const [preference = ''] = split(element, ';'); // `wait` has no parameters
    const [, name = '', value = ''] = /^([^=]*)=?(.*)$/s.exec(preference) ?? [];
    if (name.trim().toLowerCase() === 'wait') return secondsOf(value.trim()); // the first of several counts
  }
  return null;
}

function secondsOf(value: string): number | null {
  const text = value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value;
  return /^[0-9]+$/.test(text) ? Math.min(Number(text), MOST_SECONDS) : null;
}

/** Splits at separators outside of quoted strings (RFC 9110 section 5.6.4). An open quoted string contains the rest. */
function* split(text: string, separator: ',' | ';'): Generator<string> {
  let start = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '"') quoted = !quoted;
    else if (quoted && character === '\\') at += 1;
    else if (!quoted && character === separator) {
      yield text.slice(start, at);
      start = at + 1;
    }
  }
  if (!quoted) yield text.slice(start);
}
