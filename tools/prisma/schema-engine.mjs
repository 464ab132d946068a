#!/usr/bin/env node
// Stand-in for Prisma's native `schema-engine` binary, for machines that cannot
// download it. Speaks the same JSON-RPC-over-stdio protocol and the same
// `cli` sub-commands, but runs Prisma's own WebAssembly schema engine
// (@prisma/schema-engine-wasm, same engine commit) over @prisma/adapter-pg.
//   PRISMA_SCHEMA_ENGINE_BINARY=$PWD/tools/prisma/schema-engine.mjs npx prisma migrate deploy
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import readline from 'node:readline';
import { parseArgs } from 'node:util';
import pg from 'pg';
import pgConnectionString from 'pg-connection-string';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum } from '@prisma/driver-adapter-utils';

const { values, positionals } = parseArgs({
  args: process.argv.slice(2),
  allowPositionals: true,
  strict: false,
  options: {
    datamodels: { type: 'string', multiple: true, short: 'd' },
    datasource: { type: 'string' },
    'enabled-preview-features': { type: 'string' },
    'extension-types': { type: 'string' },
  },
});
if (process.argv.includes('--version')) {
  console.log('schema-engine-cli wasm-shim');
  process.exit(0);
}

const datasource = values.datasource ? JSON.parse(values.datasource) : {};
const dbUrl = () => {
  if (!datasource.url) throw new Error('no datasource url');
  const u = new URL(datasource.url);
  const schema = u.searchParams.get('schema') ?? undefined;
  // parameters which only Prisma's native engine knows
  for (const k of ['schema', 'connection_limit', 'pool_timeout', 'pgbouncer', 'socket_timeout', 'connect_timeout'])
    u.searchParams.delete(k);
  return { url: u, schema };
};
const { parseIntoClientConfig } = pgConnectionString;
const log = (level, message, error_code) =>
  process.stderr.write(
    JSON.stringify({
      timestamp: new Date().toISOString(),
      level,
      target: 'schema_engine::logger',
      fields: { message, ...(error_code && { error_code }) },
    }) + '\n',
  );

async function admin(sql) {
  const { url } = dbUrl();
  url.pathname = '/postgres';
  const c = new pg.Client({ connectionString: url.toString() });
  await c.connect();
  try {
    await c.query(sql);
  } finally {
    await c.end();
  }
}
async function createDatabase() {
  const name = decodeURIComponent(dbUrl().url.pathname.slice(1));
  await admin(`CREATE DATABASE ${pg.escapeIdentifier(name)}`);
  return { databaseName: name };
}
function pgErrorCode(e) {
  switch (e.code) {
    case '3D000':
      return 'P1003';
    case '28P01':
    case '28000':
      return 'P1000';
    case 'ECONNREFUSED':
    case 'ENOTFOUND':
    case 'ETIMEDOUT':
      return 'P1001';
    case '42P04':
      return 'P1009';
  }
}

if (positionals[0] === 'cli') {
  process.stderr.write('\n');
  try {
    const name = decodeURIComponent(dbUrl().url.pathname.slice(1));
    if (positionals[1] === 'can-connect-to-database') {
      const c = new pg.Client({ connectionString: dbUrl().url.toString(), connectionTimeoutMillis: 5000 });
      await c.connect();
      await c.end();
    } else if (positionals[1] === 'create-database') await createDatabase();
    else if (positionals[1] === 'drop-database') await admin(`DROP DATABASE ${pg.escapeIdentifier(name)} WITH (FORCE)`);
    process.exit(0);
  } catch (e) {
    log('ERROR', e.message || String(e), pgErrorCode(e) ?? 'P1001');
    process.exit(1);
  }
}

// adapter-pg 7 no longer maps PostgreSQL's internal "char" type (oid 18), which the schema
// engine's catalogue queries return.
let patched = false;
function patchCharColumns(conn) {
  if (patched) return;
  patched = true;
  let proto = Object.getPrototypeOf(conn);
  while (!Object.hasOwn(proto, 'performIO')) proto = Object.getPrototypeOf(proto);
  const { queryRaw, performIO } = proto;
  proto.queryRaw = async function (query) {
    const chars = [];
    const self = Object.create(this, {
      performIO: {
        value: async (q) => {
          const r = await performIO.call(this, q);
          r.fields?.forEach((f, i) => {
            if (f.dataTypeID === 18) {
              chars.push(i);
              f.dataTypeID = 25;
            }
          });
          return r;
        },
      },
    });
    const out = await queryRaw.call(self, query);
    for (const i of chars) out.columnTypes[i] = ColumnTypeEnum.Character;
    return out;
  };
}

let enginePromise;
async function loadEngine() {
  const require = createRequire(import.meta.url);
  const bgPath = require.resolve('@prisma/schema-engine-wasm/schema_engine_bg');
  const bg = await import(bgPath);
  const { instance } = await WebAssembly.instantiate(await readFile(bgPath.replace(/\.js$/, '.wasm')), {
    './schema_engine_bg.js': bg,
  });
  bg.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
  const datamodels = await Promise.all((values.datamodels ?? []).map(async (f) => [f, await readFile(f, 'utf8')]));
  const { url, schema } = dbUrl();
  const connect = async (config) => {
    const c = await new PrismaPg(config, { schema }).connect();
    patchCharColumns(c);
    return c;
  };
  // Discrete fields, never `connectionString`: adapter-pg's own connectToShadowDb() sets `database`
  // next to it and pg lets the connection string win, so the "shadow" would be the main database;
  // it also drops the shadow database before it closes its own pool, which PostgreSQL refuses.
  const conn = { ...parseIntoClientConfig(url.toString()), max: 4 };
  const factory = {
    provider: 'postgres',
    adapterName: '@prisma/adapter-pg',
    connect: () => connect(conn),
    async connectToShadowDb() {
      if (datasource.shadowDatabaseUrl) {
        const shadow = new URL(datasource.shadowDatabaseUrl);
        shadow.searchParams.delete('schema');
        return connect({ ...parseIntoClientConfig(shadow.toString()), max: 2 });
      }
      const database = `prisma_migrate_shadow_db_${crypto.randomUUID()}`;
      await admin(`CREATE DATABASE "${database}"`);
      const c = await connect({ ...conn, max: 2, database });
      const dispose = c.dispose.bind(c);
      c.dispose = async () => {
        await dispose();
        await c
          .underlyingDriver()
          .end()
          .catch(() => {});
        await admin(`DROP DATABASE "${database}" WITH (FORCE)`);
      };
      return c;
    },
  };
  return bg.SchemaEngine.new(
    { datamodels: datamodels.length ? datamodels : undefined },
    () => {},
    bindMigrationAwareSqlAdapterFactory(factory),
  );
}

const send = (m) => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...m }) + '\n');
let pending = 0,
  closed = false;
const maybeExit = () => {
  if (closed && !pending) process.exit(0);
};
const rl = readline.createInterface({ input: process.stdin });
rl.on('line', async (line) => {
  const msg = JSON.parse(line);
  if (!msg.method) return; // reply to our `print`
  pending++;
  try {
    let result;
    if (msg.method === 'createDatabase') result = await createDatabase();
    else {
      const engine = await (enginePromise ??= loadEngine());
      const method = msg.method === 'getDatabaseVersion' ? 'version' : msg.method;
      result = await engine[method](msg.params);
      if (msg.method === 'diff' && result?.stdout != null) {
        send({ id: 'print', method: 'print', params: { content: result.stdout } });
        result = { ...result, stdout: null };
      }
    }
    send({ id: msg.id, result: result ?? null });
  } catch (e) {
    if (process.env.SHIM_DEBUG) console.error('SHIM', msg.method, e, Object.keys(e), e.cause);
    const code = e.code ?? e.errorCode;
    send({
      id: msg.id,
      error: {
        code: 4466,
        message: 'An error happened.',
        data: {
          is_panic: false,
          message: e.message ?? String(e),
          ...(code && { error_code: code }),
          meta: e.meta ?? null,
        },
      },
    });
  } finally {
    pending--;
    maybeExit();
  }
});
rl.on('close', () => {
  closed = true;
  maybeExit();
});
