import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { installPackage, isExecutable } from '@offload/child-processes';

const run = promisify(execFile);
const PIKA = 'pika==1.3.2';
const INSTALL_TIMEOUT_MS = 120_000;

/**
 * Finds a Python 3 that has pika, a client of RabbitMQ: the one of PYTHON, or on the PATH. Where none has it, pika is installed
 * through pip into a folder of its own below ~/.cache, which is kept, or else through apt, if that needs no password.
 *
 * @param say is told what takes long: installing it
 * @returns the path of the program
 * @throws Error that names the ways out where there is none
 */
export async function findPython(say: (line: string) => void, abort?: AbortSignal): Promise<string> {
  return (await withPika(candidates())) ?? (await inFolder(say)) ?? (await throughApt(say, abort));
}

const cache = (): string => join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'offload/python');
const inCache = (): string => join(cache(), 'bin/python3');

function candidates(): string[] {
  const { PYTHON, PATH = '' } = process.env;
  if (PYTHON) return [PYTHON];
  const folders = [...PATH.split(delimiter), '/usr/bin'].filter((folder) => folder !== '');
  return [...new Set([...folders.map((folder) => join(folder, 'python3')), inCache()])].filter(isExecutable);
}

async function withPika(programs: readonly string[]): Promise<string | undefined> {
  for (const program of programs) {
    const { stdout } = await run(program, ['-c', 'import pika, sys; print(sys.executable)']).catch(() => ({
      stdout: '',
    }));
    if (stdout !== '') return program;
  }
  return undefined;
}

/** Where pip can't reach a registry, there is none afterwards. */
async function inFolder(say: (line: string) => void): Promise<string | undefined> {
  const [python] = candidates();
  if (python === undefined) return undefined;
  say(`no Python here has pika: pip install ${PIKA} into ${cache()}`);
  const options = { timeout: INSTALL_TIMEOUT_MS };
  try {
    if (!existsSync(inCache())) await run(python, ['-m', 'venv', cache()], options);
    const quick = ['--quiet', '--retries', '1', '--disable-pip-version-check'];
    await run(inCache(), ['-m', 'pip', 'install', ...quick, PIKA], options);
  } catch (error) {
    say(`that failed: ${(error as Error).message.split('\n')[0]}`);
  }
  return withPika([inCache()].filter(isExecutable));
}

async function throughApt(say: (line: string) => void, abort: AbortSignal | undefined): Promise<string> {
  const why = await installPackage('python3-pika', say, abort);
  const installed = await withPika(candidates());
  if (installed !== undefined) return installed;
  throw new Error(
    `No Python 3 here has pika, and ${why ?? 'apt-get has installed it where this test does not look'}. Ways out: install it (pip install ${PIKA}; ` +
      'Debian: apt install python3-pika), or set PYTHON to a Python that has it.',
  );
}
