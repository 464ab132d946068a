import pg from 'pg';

const { TIMESTAMPTZ } = pg.types.builtins;
const toDate = pg.types.getTypeParser(TIMESTAMPTZ, 'text') as (text: string) => Date;
/** `2026-11-21 08:00:00.12+00`: as PostgreSQL prints a time to the millisecond where its time zone is UTC. */
const UTC = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,3})?\+00$/;
const SECONDS_END = '2026-11-21 08:00:00'.length;

/** A time as RFC 3339 text in UTC, to the millisecond: of the form of `Date.toISOString`, mostly without a `Date`. */
export function rfc3339(text: string): string {
  if (!UTC.test(text)) return toDate(text).toISOString();
  const milliseconds = text.slice(SECONDS_END + 1, -'+00'.length).padEnd(3, '0');
  return `${text.slice(0, 10)}T${text.slice(11, SECONDS_END)}.${milliseconds}Z`;
}

/** How what is not read through Prisma is read: times as {@link rfc3339}, everything else as pg does it. */
export const rowTypes: pg.CustomTypesConfig = {
  getTypeParser: (id: number, format?: 'text' | 'binary') =>
    id === (TIMESTAMPTZ as number) && format !== 'binary' ? rfc3339 : pg.types.getTypeParser(id, format as 'text'),
};
