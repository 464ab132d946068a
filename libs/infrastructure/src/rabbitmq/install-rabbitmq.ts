import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';

import type { LineSink } from '../processes/child-process.ts';

const PACKAGES = '/usr/lib/rabbitmq/lib';

// invoke-rc.d(8) asks policy-rc.d whether a package may start its service: 101 is no. One that is there is respected.
const INSTALL = `
policy=/usr/sbin/policy-rc.d
trap 'exit 130' INT TERM
if [ ! -e $policy ]; then
  trap 'rm -f $policy' EXIT
  printf '#!/bin/sh\\nexit 101\\n' >$policy && chmod 755 $policy || exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get -qq -o DPkg::Lock::Timeout=300 update || echo 'apt-get update failed; going on with the lists that are there'
apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 install --yes --no-install-recommends rabbitmq-server
`;

/**
 * The folder with RabbitMQ's own `rabbitmq-server`, installing the system's package through apt when there is none and
 * that needs no password (as root or through `sudo -n`). The package's own service is not started. `abort` ends that.
 * @throws Error that names the ways out when it is neither there nor could be installed
 */
export async function rabbitmqFolder(log: LineSink, abort?: AbortSignal): Promise<string> {
  const found = findRabbitmq();
  if (found !== undefined) return found;
  const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  if (!runs('apt-get', ['--version'])) throw missing('this machine has no apt-get to install it with');
  if (asRoot.length > 0 && !runs('sudo', ['-n', 'true'])) throw missing('installing it needs a password');

  log('rabbitmq-server is not installed: apt-get update && apt-get install rabbitmq-server (its service stays off)');
  const startedAt = Date.now();
  const output = await run([...asRoot, 'sh', '-c', INSTALL], abort);
  const installed = findRabbitmq();
  if (installed === undefined) throw missing(`apt-get failed:\n${output.slice(-15).join('\n')}\n`);
  log(`rabbitmq-server is installed, after ${Math.round((Date.now() - startedAt) / 1000)} s`);
  return installed;
}

/** The folder with RabbitMQ's own `rabbitmq-server`; undefined when it is not installed. */
export function findRabbitmq(): string | undefined {
  // Debian's /usr/sbin/rabbitmq-server switches to the user rabbitmq and drops the environment: the real one comes first.
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
    `RabbitMQ is not installed, and ${why}. Ways out: install the package rabbitmq-server ` +
      '(Debian, Ubuntu: apt install rabbitmq-server; macOS: brew install rabbitmq); or set AMQP_URL to a RabbitMQ ' +
      'that runs elsewhere; or start the whole system in containers: docker compose up --build --wait',
  );
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

function runs(command: string, args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

/** Runs a command to its end, whatever that is, and gives back its lines. */
function run([command = '', ...args]: string[], signal: AbortSignal | undefined): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const lines: string[] = [];
    const child = spawn(command, args, { signal, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => lines.push(line));
    }
    child.once('error', reject).once('close', () => resolve(lines));
  });
}
