/** The parameter of the query in which an event token comes. */
export const TOKEN_PARAMETER = 'token';

/**
 * A request's target without the event tokens in its query, whatever their name is encoded as: what is said or logged of
 * a target must not let anybody watch.
 */
export function withoutToken(target: string): string {
  const at = target.indexOf('?');
  if (at === -1) return target;
  const parameters = target.slice(at + 1).split('&');
  const kept = parameters.filter((parameter) => !new URLSearchParams(parameter).has(TOKEN_PARAMETER));
  if (kept.length === parameters.length) return target;
  return kept.length === 0 ? target.slice(0, at) : `${target.slice(0, at)}?${kept.join('&')}`;
}
