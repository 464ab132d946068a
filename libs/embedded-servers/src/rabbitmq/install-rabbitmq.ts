import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

import { installPackage, type LineSink, isExecutable } from '@offload/child-processes';

const PACKAGES = '/usr/lib/rabbitmq/lib';

/**
 * Finds the folder with RabbitMQ's own `rabbitmq-server`. If it is missing, installs the system's package through apt,
 * where that needs no password (as root or through `sudo -n`). The package's own service is not started. `abort` ends
 * the installation.
 *
 * @throws Error with instructions when RabbitMQ is missing and can't be installed
 */
export async function rabbitmqFolder(log: LineSink, abort?: AbortSignal): Promise<string> {
  const found = findRabbitmq();
  if (found !== undefined) return found;
  const why = await installPackage('rabbitmq-server', log, abort);
  const installed = findRabbitmq();
  if (installed === undefined) throw missing(why ?? 'apt-get has installed it in an unknown folder');
  return installed;
}

/** Finds the folder with RabbitMQ's own `rabbitmq-server`; undefined when it is not installed. */
function findRabbitmq(): string | undefined {
  // Skip Debian's /usr/sbin/rabbitmq-server, which switches to the user rabbitmq and drops the environment.
  const versions = existsSync(PACKAGES)
    ? readdirSync(PACKAGES).filter((name) => name.startsWith('rabbitmq_server-'))
    : [];
  const packaged = versions
    .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
    .map((name) => join(PACKAGES, name, 'sbin'));
  const onPath = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const homebrew = ['/opt/homebrew/sbin', '/usr/local/sbin', '/home/linuxbrew/.linuxbrew/sbin'];
  return [...packaged, ...onPath, ...homebrew].find((folder) => isExecutable(join(folder, 'rabbitmq-server')));
}

function missing(why: string): Error {
  return new Error(
    `RabbitMQ is not installed, and ${why}. Install the package rabbitmq-server ` +
      '(Debian, Ubuntu: apt install rabbitmq-server; macOS: brew install rabbitmq), or set AMQP_URL to a RabbitMQ ' +
      'that runs elsewhere, or start the whole system in containers: docker compose up --build --wait',
  );
}
