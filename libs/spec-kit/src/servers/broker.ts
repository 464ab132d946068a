import { type LineSink, freePort } from '@offload/child-processes';
import type { RabbitmqSettings } from '@offload/embedded-servers';

/** A RabbitMQ that can be ended and started again: on the same ports, and with what it has stored. */
export interface Broker {
  readonly urls: BrokerUrls;
  /** resolves when AMQP and the management API answer; nothing happens while it runs */
  start(): Promise<void>;
  /** ends it in good order, and by force after some seconds; resolves when it no longer listens */
  stop(): Promise<void>;
  /** the same as if it had crashed: SIGKILL */
  kill(): Promise<void>;
  /** kills it, removes what it has stored, and starts it empty */
  wipe(): Promise<void>;
  /** runs `rabbitmqctl` and resolves to what it prints; rejects when it fails */
  control(args: readonly string[]): Promise<string>;
  /** ends it and removes what it has stored */
  remove(): Promise<void>;
}

export interface BrokerUrls {
  /** of the virtual host `/`; the user is an administrator. With definitions there is no user in it. */
  amqpUrl: string;
  /** the same with TLS, if that is set up */
  amqpsUrl: string | undefined;
  /** of the management API, without user and password */
  managementUrl: string;
}

export interface BrokerOptions {
  settings: RabbitmqSettings;
  /** makes what is under way fail, since the broker is about to be removed */
  abort: AbortSignal;
  log: LineSink;
}

export interface BrokerPorts {
  amqp: number;
  amqps: number;
  management: number;
}

/** Ports that are free now, and are not handed out again. */
export async function brokerPorts(): Promise<BrokerPorts> {
  return { amqp: await freePort(), amqps: await freePort(), management: await freePort() };
}

/** @param login `user:password` of the administrator */
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
