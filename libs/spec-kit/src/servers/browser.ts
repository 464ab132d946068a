import { delimiter, join } from 'node:path';
import type { Browser, BrowserType } from 'playwright-core';
import { installPackage, isExecutable } from '@offload/child-processes';

/** Names that Chromium and its kin go by. */
const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const ON_MACOS = ['Google Chrome', 'Chromium'].map((name) => `/Applications/${name}.app/Contents/MacOS/${name}`);

/**
 * Starts a headless Chromium: the one of CHROMIUM_PATH, of Playwright or on the PATH; where there is none, it is installed
 * through apt, if that needs no password.
 * @param say is told what takes long: installing it
 * @param args more of the command line
 * @throws Error that names the ways out where there is none
 */
export async function startBrowser(
  say: (line: string) => void,
  abort?: AbortSignal,
  args: string[] = [],
): Promise<Browser> {
  const { chromium } = await import('playwright-core'); // `npm start` has no use for it
  const executablePath = findBrowser(chromium) ?? (await installBrowser(chromium, say, abort));
  return chromium.launch({
    executablePath,
    args: ['--disable-background-networking', ...args],
    chromiumSandbox: process.getuid?.() !== 0, // it refuses to run as root with it
    // The player ends it.
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
  });
}

function findBrowser(chromium: BrowserType): string | undefined {
  const { CHROMIUM_PATH: named, PATH = '' } = process.env;
  if (named) {
    if (isExecutable(named)) return named;
    throw new Error(`CHROMIUM_PATH=${named} is no program that may be run here`);
  }
  const folders = PATH.split(delimiter).filter((folder) => folder !== '');
  const onPath = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [chromium.executablePath(), ...onPath, ...ON_MACOS].find(isExecutable);
}

async function installBrowser(
  chromium: BrowserType,
  say: (line: string) => void,
  abort: AbortSignal | undefined,
): Promise<string> {
  const why = await installPackage('chromium', say, abort);
  const installed = findBrowser(chromium);
  if (installed !== undefined) return installed;
  throw new Error(
    `Chromium is not installed, and ${why ?? 'apt-get has put it where nobody looks'}. Ways out: install it (Debian: apt ` +
      'install chromium; macOS: brew install --cask google-chrome; anywhere: npx playwright-core install chromium); or ' +
      'set CHROMIUM_PATH to a Chromium, Chrome or Edge that is there.',
  );
}
