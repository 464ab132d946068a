/** The parameter of the query in which an event token comes. */
export const TOKEN_PARAMETER = 'token';

/** Where in a parameter a token begins: at what somebody took for a separator, in any case, encoded or not, also as a list. */
const NEARLY = new RegExp(`(?:^|[?;]|%3f|%3b|%26)${encoded(TOKEN_PARAMETER)}(?:$|[=[?;]|%3d|%5b|%3f|%3b|%26)`, 'i');

/**
 * A request's target without the event tokens in its query, for what is said or logged of it: that must not let anybody
 * watch. What nearly is a token's parameter goes as well (`?TOKEN=`, `?x=1;token=`, `?a?token=`, `?token[]=`), with all
 * up to the next parameter: whoever sent it meant a token, and it may be good where it is spelt right.
 */
export function withoutToken(target: string): string {
  return withParameters(target, (parameter) => {
    const at = parameter.search(NEARLY);
    return at === -1 ? parameter : parameter.slice(0, at).replace(/^\?+$/, '') || undefined;
  });
}

/** A request's target without the parameters that are read as event tokens, whatever their name is encoded as. */
export function withoutTokenParameter(target: string): string {
  return withParameters(target, (parameter) =>
    new URLSearchParams(`?${parameter}`).has(TOKEN_PARAMETER) ? undefined : parameter,
  );
}

/** @param keep what is left of a parameter; undefined when nothing is */
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

/** A pattern, to be used without regard to case, of a name any letter of which may be percent-encoded. */
function encoded(name: string): string {
  const hex = (letter: string) => letter.charCodeAt(0).toString(16);
  return name.replace(/./g, (letter) => `(?:${letter}|%${hex(letter)}|%${hex(letter.toUpperCase())})`);
}
