import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';

import type { LineSink } from './child-process.ts';

// invoke-rc.d(8) asks policy-rc.d whether a package may start its service: 101 means no. An existing policy is kept.
const INSTALL = `
policy=/usr/sbin/policy-rc.d
trap 'exit 130' INT TERM
if [ ! -e $policy ]; then
  trap 'rm -f $policy' EXIT
  printf '#!/bin/sh\\nexit 101\\n' >$policy && chmod 755 $policy || exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get -qq -o DPkg::Lock::Timeout=300 update || echo 'apt-get update failed; using the existing lists'
apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 install --yes --no-install-recommends "$1"
`;

/**
 * Installs a package of Debian or Ubuntu if that needs no password: as root, or through `sudo -n`. It starts no service
 * of the package or of its dependencies.
 *
 * @param log gets a line before and after the installation, which takes a while
 * @param abort ends the installation
 * @returns null after success; otherwise the reason, to complete the sentence "it is not installed, and ..."
 */
export async function installPackage(name: string, log: LineSink, abort?: AbortSignal): Promise<string | null> {
  const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  if (!runs('apt-get', ['--version'])) return 'this machine has no apt-get to install it with';
  if (asRoot.length > 0 && !runs('sudo', ['-n', 'true'])) return 'installing it needs a password';

  log(`${name} is not installed: apt-get update && apt-get install ${name} (its service, if any, stays off)`);
  const startedAt = Date.now();
  const { code, lines } = await run([...asRoot, 'sh', '-c', INSTALL, 'sh', name], abort);
  if (code !== 0) return `apt-get failed:\n${lines.slice(-15).join('\n')}\n`;
  log(`${name} is installed, after ${Math.round((Date.now() - startedAt) / 1000)} s`);
  return null;
}

function runs(command: string, args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

/** Runs a command to its end and returns its lines. */
function run(
  [command = '', ...args]: string[],
  signal: AbortSignal | undefined,
): Promise<{ code: number | null; lines: string[] }> {
  return new Promise((resolve, reject) => {
    const lines: string[] = [];
    const child = spawn(command, args, { signal, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => lines.push(line));
    }
    child.once('error', reject).once('close', (code) => resolve({ code, lines }));
  });
}
