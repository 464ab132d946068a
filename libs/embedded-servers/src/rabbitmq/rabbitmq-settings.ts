/** Settings of a RabbitMQ that differ from its defaults. */
export interface RabbitmqSettings {
  /** RabbitMQ's `consumer_timeout` in milliseconds. @default RabbitMQ's own */
  consumerTimeoutMs?: number | undefined;
  /** PEM texts: the node also listens with TLS. Client certificates are optional, and must be signed by `ca`. */
  tls?: { ca: string; certificate: string; key: string } | undefined;
  /** A definitions document as RabbitMQ exports it, loaded at each start. The node then has its users only. */
  definitions?: object | undefined;
}

/** RabbitMQ's own interval between checks of `consumer_timeout` (`channel_tick_interval`). */
const LONGEST_TICK_MS = 60_000;

/**
 * Limits the write-ahead log of quorum queues in memory to 64 MiB, as a section of a configuration. RabbitMQ's own
 * limit of 512 MiB is reached within the hour at some hundred jobs a second, and takes more than 1 GiB of memory.
 */
export const rabbitmqLog = `{ra, [{wal_max_size_bytes, ${64 * 1024 ** 2}}]}`;

/**
 * Converts the settings to Erlang terms, for the section `rabbit` of a configuration.
 *
 * @param amqps the TLS listener as an Erlang term
 * @param folder the folder where RabbitMQ reads `files`
 * @returns the terms, with the name and contents of each file that they name
 */
export function rabbitmqTerms(
  { consumerTimeoutMs, tls, definitions }: RabbitmqSettings,
  amqps: string,
  folder: string,
): { terms: string[]; files: Record<string, string> } {
  const terms: string[] = [];
  const files: Record<string, string> = {};
  const file = (name: string, contents: string) => {
    files[name] = contents;
    return JSON.stringify(`${folder}/${name}`); // an Erlang string has the syntax of a JSON string
  };
  if (consumerTimeoutMs !== undefined) {
    const tickMs = Math.min(LONGEST_TICK_MS, Math.ceil(consumerTimeoutMs / 4));
    terms.push(`{consumer_timeout, ${consumerTimeoutMs}}`, `{channel_tick_interval, ${tickMs}}`);
  }
  if (tls) {
    const pems = `{cacertfile, ${file('ca.pem', tls.ca)}}, {certfile, ${file('certificate.pem', tls.certificate)}}`;
    const key = `{keyfile, ${file('key.pem', tls.key)}}`;
    terms.push(`{ssl_listeners, [${amqps}]}`);
    terms.push(`{ssl_options, [${pems}, ${key}, {verify, verify_peer}, {fail_if_no_peer_cert, false}]}`);
  }
  if (definitions) terms.push(`{load_definitions, ${file('definitions.json', JSON.stringify(definitions))}}`);
  return { terms, files };
}
