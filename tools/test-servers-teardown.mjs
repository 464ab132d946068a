// Jest's globalTeardown: stops what tools/test-servers.mjs has started, and waits for it.
export default async function teardown() {
  await globalThis[Symbol.for('offload.stopTestServers')]?.();
}
