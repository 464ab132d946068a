/** The query parameter that carries an event token. */
export const TOKEN_PARAMETER = 'token';

/**
 * Where a token begins in a parameter, after any separator that a client may use by mistake, in any case or encoding.
 */
const NEARLY = new RegExp(`(?:^|[?;]|%3f|%3b|%26)${encoded(TOKEN_PARAMETER)}(?:$|[=[?;]|%3d|%5b|%3f|%3b|%26)`, 'i');

/**
 * Removes the event tokens from the query of a request's target, for answers and logs: a reader of those must not be
 * able to watch. A misspelt parameter (`?TOKEN=`, `?x=1;token=`, `?a?token=`, `?token[]=`) is removed too, up to the
 * next parameter. Its value may be a valid token that the client meant to send.
 */
export function withoutToken(target: string): string {
  return withParameters(target, (parameter) => {
    const at = parameter.search(NEARLY);
    return at === -1 ? parameter : parameter.slice(0, at).replace(/^\?+$/, '') || undefined;
  });
}

/**
 * Removes the parameters that are read as event tokens from a request's target, in any percent-encoding of the name.
 */
export function withoutTokenParameter(target: string): string {
  return withParameters(target, (parameter) =>
    new URLSearchParams(`?${parameter}`).has(TOKEN_PARAMETER) ? undefined : parameter,
  );
}

/** @param keep returns the part of a parameter to keep, or undefined to drop the parameter */
function withParameters(target: string, keep: (parameter: string) => string | undefined): string {
  const at = target.indexOf('?');
  if (at === -1) return target;
  const kept = target
    .slice(at + 1)
    .split('&')
    .map(keep)
    .filter((parameter) => parameter !== undefined);
  const query = kept.join('&');
  return kept.length === 0 ? target.slice(0, at) : `${target.slice(0, at)}?${query}`;
}

/** A pattern, to use without regard to case, of a name in which any letter may be percent-encoded. */
function encoded(name: string): string {
  const hex = (letter: string) => letter.charCodeAt(0).toString(16);
  return name.replace(/./g, (letter) => `(?:${letter}|%${hex(letter)}|%${hex(letter.toUpperCase())})`);
}
