import pg from 'pg';

const { TIMESTAMPTZ } = pg.types.builtins;
const toDate = pg.types.getTypeParser(TIMESTAMPTZ, 'text') as (text: string) => Date;
/** `2026-11-21 08:00:00.12+00`: how PostgreSQL prints a time to the millisecond if the time zone is UTC. */
const UTC = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,3})?\+00$/;
const SECONDS_END = '2026-11-21 08:00:00'.length;

/**
 * Turns PostgreSQL's text of a time into RFC 3339 in UTC, to the millisecond, like `Date.toISOString`. It makes a
 * `Date` only for other time zones.
 */
export function rfc3339(text: string): string {
  if (!UTC.test(text)) return toDate(text).toISOString();
  const milliseconds = text.slice(SECONDS_END + 1, -'+00'.length).padEnd(3, '0');
  return `${text.slice(0, 10)}T${text.slice(11, SECONDS_END)}.${milliseconds}Z`;
}

/** How pg reads columns: times as {@link rfc3339}, all other types by default. Prisma has its own rules. */
export const rowTypes: pg.CustomTypesConfig = {
  getTypeParser: (id: number, format?: 'text' | 'binary') =>
    id === (TIMESTAMPTZ as number) && format !== 'binary' ? rfc3339 : pg.types.getTypeParser(id, format as 'text'),
};
