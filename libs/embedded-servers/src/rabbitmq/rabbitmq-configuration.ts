import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { giveTo, type Account } from '../server-account.ts';
import { rabbitmqLog, rabbitmqTerms, type RabbitmqSettings } from './rabbitmq-settings.ts';

/** The ports of a node. */
export interface RabbitmqPorts {
  amqp: number;
  /** Used only with `settings.tls`. */
  amqps: number;
  management: number;
  /** Port of Erlang's distribution, which `rabbitmqctl` uses. */
  distribution: number;
  /** Port of Erlang's port mapper, epmd. */
  portMapper: number;
}

/** Binds Erlang's distribution, of the node and of `rabbitmqctl`, to loopback. The cookie protects it as well. */
const ON_LOOPBACK = '-kernel inet_dist_use_interface {127,0,0,1}';

/** A delivery may stay unacknowledged for longer than the longest job. RabbitMQ's own default is 30 minutes. */
const CONSUMER_TIMEOUT_MS = 3 * 60 * 60 * 1000;

/**
 * Writes the configuration of a node that keeps its data in `dataDir` and listens on 127.0.0.1 alone. The node runs as
 * `account`, which owns the files here and those that the node writes; no other user can read them. This process keeps
 * the folder itself.
 *
 * @returns the environment of the node
 */
export function writeRabbitmqConfiguration(
  dataDir: string,
  ports: RabbitmqPorts,
  settings: RabbitmqSettings,
  account: Account | undefined,
): NodeJS.ProcessEnv {
  const write = (name: string, contents: string, mode = 0o600) => {
    const file = join(dataDir, name);
    rmSync(file, { force: true }); // an existing file would keep its mode
    writeFileSync(file, contents, { mode });
    if (account) chownSync(file, account.uid, account.gid);
  };
  mkdirSync(dataDir, { recursive: true });
  chmodSync(dataDir, account ? 0o711 : 0o700);
  for (const name of ['home', 'data', 'log']) {
    mkdirSync(join(dataDir, name), { recursive: true });
    chmodSync(join(dataDir, name), 0o700);
  }
  const cookie = join('home', '.erlang.cookie');
  if (!existsSync(join(dataDir, cookie))) write(cookie, randomBytes(20).toString('hex'), 0o400);
  for (const name of ['home', 'data', 'log']) giveTo(account, join(dataDir, name));
  write('enabled_plugins', '[rabbitmq_management].\n');
  // Names are resolved from this file alone. Otherwise Erlang starts two resolver processes for one name.
  write('inetrc', '{lookup, [file]}.\n{host, {127,0,0,1}, ["localhost"]}.\n');
  const withTimeout = { ...settings, consumerTimeoutMs: settings.consumerTimeoutMs ?? CONSUMER_TIMEOUT_MS };
  const { terms, files } = rabbitmqTerms(withTimeout, `{"127.0.0.1", ${ports.amqps}}`, dataDir);
  for (const [name, contents] of Object.entries(files)) write(name, contents);
  write('rabbitmq.config', configuration(ports, terms));
  return environment(dataDir, ports, account);
}

/** The configuration as Erlang terms, because translating a rabbitmq.conf costs 3 s of CPU at each start. */
function configuration({ amqp, management }: RabbitmqPorts, terms: readonly string[]): string {
  return `[{rabbit, [
   {tcp_listeners, [{"127.0.0.1", ${amqp}}]},
   ${terms.join(',\n   ')}
 ]},
 ${rabbitmqLog},
 {rabbitmq_management, [{tcp_config, [{ip, "127.0.0.1"}, {port, ${management}}]}]}].
`;
}

function environment(
  dataDir: string,
  { amqp, distribution, portMapper }: RabbitmqPorts,
  account: Account | undefined,
): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    TMPDIR: account ? undefined : process.env['TMPDIR'], // ours may be closed to it
    TZ: process.env['TZ'],
    LANG: 'C.UTF-8',
    LC_ALL: 'C.UTF-8',
    HOME: join(dataDir, 'home'), // of the cookie
    ERL_EPMD_PORT: String(portMapper),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    ERL_INETRC: join(dataDir, 'inetrc'),
    ERL_CRASH_DUMP_SECONDS: '0', // none
    RUNNING_UNDER_SYSTEMD: 'true', // the script then becomes the broker, instead of waiting for it
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_NODENAME: 'offload@localhost', // the data belong to this name
    RABBITMQ_NODE_PORT: String(amqp),
    RABBITMQ_DIST_PORT: String(distribution),
    RABBITMQ_MNESIA_BASE: join(dataDir, 'data'),
    RABBITMQ_LOG_BASE: join(dataDir, 'log'),
    RABBITMQ_LOGS: '-', // to standard output
    RABBITMQ_CONFIG_FILE: join(dataDir, 'rabbitmq.config'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(dataDir, 'enabled_plugins'),
    RABBITMQ_CTL_ERL_ARGS: ON_LOOPBACK,
    // No busy waiting, which would take CPU from the jobs on a small machine.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: `${ON_LOOPBACK} +sbwt none +sbwtdcpu none +sbwtdio none`,
  };
}
