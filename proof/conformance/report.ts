// Checks every rule of the table and writes docs/http-conformance.md. It exits with 1 when a rule is not met.
//
//   node --import tsx --conditions=@offload/source proof/conformance/report.ts
//
// It uses the servers of TEST_DATABASE_URL, TEST_AMQP_URL and TEST_MANAGEMENT_URL, or else new ones.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repository, sql, withTestServers } from '@offload/running-system';
import { manage } from '@offload/spec-kit';
import { format, resolveConfig } from 'prettier';
import { check } from './check.ts';
import { conformancePage, type Verdict } from './page.ts';
import { rows } from './rows/index.ts';
import { openWorld } from './world.ts';

async function versionsOf(databaseUrl: string): Promise<string[]> {
  const [row] = await sql<{ server_version: string }>(databaseUrl, 'show server_version');
  const { rabbitmq_version: rabbitmq } = (await manage('GET', '/api/overview')) as { rabbitmq_version: string };
  return [`Node.js ${process.versions.node}`, `PostgreSQL ${row?.server_version}`, `RabbitMQ ${rabbitmq}`];
}

await withTestServers(async () => {
  const world = await openWorld();
  try {
    const verdicts: Verdict[] = [];
    for (const row of rows) {
      const faults = await check(row, world);
      verdicts.push({ row, faults });
      if (faults.length > 0) {
        process.stdout.write(`not met: ${row.document} ${row.section}: ${row.rule}\n  ${faults.join('\n  ')}\n`);
      }
    }
    const file = join(repository, 'docs/http-conformance.md');
    const page = conformancePage(verdicts, await versionsOf(String(world.system.environment['DATABASE_URL'])));
    await writeFile(file, await format(page, { ...(await resolveConfig(file)), parser: 'markdown' }));
    const failed = verdicts.filter(({ faults }) => faults.length > 0).length;
    process.stdout.write(`${rows.length} rules, ${rows.length - failed} met\n`);
    process.exitCode = failed === 0 ? 0 : 1;
  } finally {
    await world.close();
  }
});
