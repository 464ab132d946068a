/** How the servers of a test run are had: in containers, or out of packages on this machine. */
export type Flavour = 'containers' | 'embedded';

/**
 * What the environment variable TEST_SERVERS asks for; undefined when it is not set.
 * @throws Error when it is something else
 */
export function wantedFlavour(): Flavour | undefined {
  const wanted = process.env['TEST_SERVERS'] || undefined;
  if (wanted === undefined || wanted === 'containers' || wanted === 'embedded') return wanted;
  throw new Error(`TEST_SERVERS must be "containers" or "embedded", not "${wanted}".`);
}
