import { delimiter, join } from 'node:path';
import type { Browser, BrowserType } from 'playwright-core';
import { installPackage, isExecutable } from '@offload/child-processes';

/** Commands of Chromium and Chrome. */
const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const ON_MACOS = ['Google Chrome', 'Chromium'].map((name) => `/Applications/${name}.app/Contents/MacOS/${name}`);

/**
 * Starts a headless Chromium: the one of CHROMIUM_PATH, of Playwright or on the PATH. A missing Chromium is installed
 * through apt if that needs no password.
 *
 * @param say gets a line before the installation, which takes a while
 * @param args further arguments of the command line
 * @throws Error with instructions when there is none
 */
export async function startBrowser(
  say: (line: string) => void,
  abort?: AbortSignal,
  args: string[] = [],
): Promise<Browser> {
  const { chromium } = await import('playwright-core'); // loaded here, because `npm start` does not need it
  const executablePath = findBrowser(chromium) ?? (await installBrowser(chromium, say, abort));
  return chromium.launch({
    executablePath,
    args: ['--disable-background-networking', ...args],
    chromiumSandbox: process.getuid?.() !== 0, // it refuses to run as root with it
    // The player ends the browser.
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
  });
}

function findBrowser(chromium: BrowserType): string | undefined {
  const { CHROMIUM_PATH: named, PATH = '' } = process.env;
  if (named) {
    if (isExecutable(named)) return named;
    throw new Error(`CHROMIUM_PATH=${named} is not a program that this user may run`);
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
    `Chromium is not installed, and ${why ?? 'apt-get has installed it in an unknown folder'}. Install it (Debian: apt ` +
      'install chromium; macOS: brew install --cask google-chrome; anywhere: npx playwright-core install chromium); or ' +
      'set CHROMIUM_PATH to a Chromium, Chrome or Edge that is there.',
  );
}
