/** What a RabbitMQ may be given that it does not have by itself. */
export interface RabbitmqSettings {
  /** RabbitMQ's `consumer_timeout`, ms @default RabbitMQ's own */
  consumerTimeoutMs?: number | undefined;
  /** PEM texts: it also listens with TLS. A client need show no certificate; one that it shows must be of `ca`. */
  tls?: { ca: string; certificate: string; key: string } | undefined;
  /** a definitions document as RabbitMQ exports it, loaded at each start; its users are then the only ones */
  definitions?: object | undefined;
}

/** RabbitMQ's own pause between two looks at how long deliveries have been out (`channel_tick_interval`). */
const LONGEST_TICK_MS = 60_000;

/**
 * How much of the write-ahead log of quorum queues RabbitMQ keeps in memory, as a section of a configuration: 64 MiB.
 * Its own 512 MiB fill within the hour at some hundred jobs a second, and come to more than 1 GiB of memory.
 */
export const rabbitmqLog = `{ra, [{wal_max_size_bytes, ${64 * 1024 ** 2}}]}`;

/**
 * The settings as Erlang terms, for the section `rabbit` of a configuration.
 * @param amqps the listener for TLS, as an Erlang term
 * @param folder where RabbitMQ finds `files`
 * @returns the terms, and the name and contents of each file that they name
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
    return JSON.stringify(`${folder}/${name}`); // an Erlang string is written like one of JSON
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
