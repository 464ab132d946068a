/**
 * The URL of one of the run's servers.
 *
 * @throws Error outside a Jest run with the preset's globalSetup (tools/test-servers.mjs)
 */
export function testServer(name: 'TEST_DATABASE_URL' | 'TEST_AMQP_URL' | 'TEST_MANAGEMENT_URL'): URL {
  const url = process.env[name];
  if (!url) throw new Error(`${name} is not set: run this through Jest with jest.preset.mjs.`);
  return new URL(url);
}
