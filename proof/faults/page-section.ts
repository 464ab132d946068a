const HEADING = /^## /m;

/** The section of a page with the same heading as this one, up to the next heading; undefined when there is none. */
export function sectionLike(page: string, section: string): string | undefined {
  const heading = section.slice(0, section.indexOf('\n'));
  const from = page.startsWith(`${heading}\n`) ? 0 : page.indexOf(`\n${heading}\n`) + 1;
  if (from === 0 && !page.startsWith(`${heading}\n`)) return undefined;
  const rest = page.slice(from + heading.length);
  const length = rest.search(HEADING);
  return page.slice(from, length < 0 ? undefined : from + heading.length + length);
}

/** Replaces the section with the same heading, or inserts this one before the section called `before`. */
export function withSection(page: string, section: string, before: string): string {
  const text = `${section.trimEnd()}\n\n`;
  const old = sectionLike(page, section);
  if (old !== undefined) return page.replace(old, () => text);
  const next = `\n## ${before}\n`;
  if (!page.includes(next)) throw new Error(`the page has no section ${before}`);
  return page.replace(next, () => `\n${text.trimEnd()}\n${next}`);
}
