import { execFile } from 'node:child_process';
import { join } from 'node:path';

import type { Account } from '../server-account.ts';
import type { Passwords } from '../kept-passwords.ts';

/** The superuser: for administrators, never for the system's processes. */
export const SUPERUSER = 'postgres';
/** An ordinary role, and the database that it owns. It may create databases, as `prisma migrate dev` does. */
export const OWNER = 'offload';

/** Options of {@link setRoles}. */
export interface RolesOptions {
  binaries: string;
  /** Folder of the data. No server may run on it. */
  folder: string;
  account: Account | undefined;
  env: NodeJS.ProcessEnv;
  abort: AbortSignal | undefined;
  passwords: Passwords<typeof SUPERUSER | typeof OWNER>;
}

/**
 * Sets the passwords of both roles, without a server and without the earlier passwords. It creates missing roles and
 * the database. In a folder of an earlier version, the superuser `offload` owns the tables. This renames that superuser
 * and gives the tables to a new role `offload`.
 *
 * @throws Error with PostgreSQL's messages
 */
export async function setRoles(options: RolesOptions): Promise<void> {
  const { passwords } = options;
  const faults = await runAlone(options, 'postgres', [
    RENAME_SUPERUSER,
    `alter role ${SUPERUSER} password '${passwords[SUPERUSER]}'`,
    `do $$ begin if to_regrole('${OWNER}') is null then create role ${OWNER}; end if; end $$`,
    `alter role ${OWNER} login createdb nosuperuser password '${passwords[OWNER]}'`,
    `create database ${OWNER} owner ${OWNER}`,
  ]);
  const isThere = (fault: string) => fault.includes(`database "${OWNER}" already exists`);
  if (faults.some(isThere)) {
    faults.push(...(await runAlone(options, OWNER, [`alter database ${OWNER} owner to ${OWNER}`, GIVE_ALL])));
  }
  const serious = faults.filter((fault) => !isThere(fault));
  if (serious.length > 0) throw new Error(`PostgreSQL's roles could not be set:\n${serious.join('\n')}`);
}

/** The first superuser has the id 10. `alter role` can't rename the role of its own session, and there is no other. */
const RENAME_SUPERUSER = `update pg_authid set rolname = '${SUPERUSER}' where oid = 10`;

/** Sequences of columns change owner with their tables, and so do indexes, row types and array types. */
const GIVE_ALL = `do $$ declare statement text; begin
  for statement in
    select format('alter table %s owner to ${OWNER}', oid::regclass) from pg_class
      where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm')
    union all select format('alter type %s owner to ${OWNER}', oid::regtype) from pg_type
      where typnamespace = 'public'::regnamespace and typtype in ('e', 'd')
    union all select format('alter routine %s owner to ${OWNER}', oid::regprocedure) from pg_proc
      where pronamespace = 'public'::regnamespace
  loop execute statement; end loop;
end $$`;

/**
 * Runs statements in PostgreSQL's single-user mode, without a password:
 * https://www.postgresql.org/docs/18/app-postgres.html
 *
 * @returns the errors of all statements
 */
function runAlone(
  { binaries, folder, account, env, abort }: RolesOptions,
  database: string,
  statements: readonly string[],
): Promise<string[]> {
  const args = ['--single', '-D', folder, '-c', 'log_min_error_statement=panic', database]; // no passwords in messages
  const options = { env, cwd: '/', uid: account?.uid, gid: account?.gid, ...(abort && { signal: abort }) };
  return new Promise((resolve) => {
    const child = execFile(join(binaries, 'postgres'), args, options, (error, _stdout, stderr) => {
      const faults = stderr.split('\n').filter((line) => /\b(?:ERROR|FATAL|PANIC): /.test(line));
      resolve(error ? [...faults, `${error.code ?? error.signal}`] : faults);
    });
    child.stdin?.on('error', () => undefined); // the child has ended; its output says why
    child.stdin?.end(statements.map((statement) => `${statement.replaceAll(/\s+/g, ' ')}\n`).join(''));
  });
}
