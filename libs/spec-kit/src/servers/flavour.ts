/** Where the servers of a test run come from: containers, or packages on this machine. */
export type Flavour = 'containers' | 'embedded';

/**
 * Reads the environment variable TEST_SERVERS; undefined when it is not set.
 *
 * @throws Error when it has another value
 */
export function wantedFlavour(): Flavour | undefined {
  const wanted = process.env['TEST_SERVERS'] || undefined;
  if (wanted === undefined || wanted === 'containers' || wanted === 'embedded') return wanted;
  throw new Error(`TEST_SERVERS must be "containers" or "embedded", not "${wanted}".`);
}
