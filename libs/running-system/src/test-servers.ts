/**
 * Runs `use` with the servers of a test run, which Jest's globalSetup starts. It is for programs that Jest does not
 * run. TEST_DATABASE_URL, TEST_AMQP_URL and TEST_MANAGEMENT_URL name other servers.
 */
export async function withTestServers<T>(use: () => Promise<T>): Promise<T> {
  await run('test-servers.mjs');
  try {
    return await use();
  } finally {
    await run('test-servers-teardown.mjs');
  }
}

async function run(file: string): Promise<void> {
  const url = new URL(`../../../tools/${file}`, import.meta.url);
  const { default: step } = (await import(url.href)) as { default(): Promise<void> };
  await step();
}
