// Jest's globalTeardown: stops the servers of tools/test-servers.mjs, and waits for their end.
export default async function teardown() {
  await globalThis[Symbol.for('offload.stopTestServers')]?.();
}
