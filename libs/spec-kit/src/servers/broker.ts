import { type LineSink, freePort } from '@offload/child-processes';
import type { RabbitmqSettings } from '@offload/embedded-servers';

/** A RabbitMQ that can be ended and started again, on the same ports and with its data. */
export interface Broker {
  readonly urls: BrokerUrls;
  /** Starts it. Resolves when AMQP and the management API answer; does nothing while it runs. */
  start(): Promise<void>;
  /** Ends it in good order, or by SIGKILL after some seconds. Resolves when it no longer listens. */
  stop(): Promise<void>;
  /** Ends it by SIGKILL, like a crash. Resolves when it no longer listens. */
  kill(): Promise<void>;
  /** Kills it, removes its data, and starts it empty. */
  wipe(): Promise<void>;
  /** Runs `rabbitmqctl` and resolves with its output. Rejects when it fails. */
  control(args: readonly string[]): Promise<string>;
  /** Ends it and removes its data. */
  remove(): Promise<void>;
}

/** The URLs of a broker. */
export interface BrokerUrls {
  /** URL of the virtual host `/`, with an administrator; without a user if definitions were given. */
  amqpUrl: string;
  /** The same with TLS; undefined without TLS. */
  amqpsUrl: string | undefined;
  /** URL of the management API, without user and password. */
  managementUrl: string;
}

/** What a broker needs to start. */
export interface BrokerOptions {
  settings: RabbitmqSettings;
  /** When it fires, running calls fail, because the broker is about to be removed. */
  abort: AbortSignal;
  log: LineSink;
}

/** The ports of a broker. */
export interface BrokerPorts {
  amqp: number;
  amqps: number;
  management: number;
}

/** Finds free ports, each of which it returns only once. */
export async function brokerPorts(): Promise<BrokerPorts> {
  return { amqp: await freePort(), amqps: await freePort(), management: await freePort() };
}

/**
 * Makes the URLs of a broker.
 *
 * @param login `user:password` of the administrator
 */
export function brokerUrls(
  host: string,
  ports: BrokerPorts,
  { definitions, tls }: RabbitmqSettings,
  login: string,
): BrokerUrls {
  const user = definitions ? '' : `${login}@`;
  return {
    amqpUrl: `amqp://${user}${host}:${ports.amqp}`,
    amqpsUrl: tls && `amqps://${user}${host}:${ports.amqps}`,
    managementUrl: `http://${host}:${ports.management}`,
  };
}
