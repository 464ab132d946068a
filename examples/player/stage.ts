import { freePort } from '@offload/child-processes';
import { findPython, startBrowser } from '@offload/spec-kit/servers';
import type { Browser, Page } from 'playwright-core';
import type { Footprint } from './footprint.ts';
import type { OwnBroker } from './own-broker.ts';
import type { OwnPostgres } from './own-postgres.ts';
import { startOwnSystem, withComplaints, type OwnSystem } from './own-system.ts';
import { startProgram, type Program } from './program.ts';
import { createTranscript, type Transcript } from './transcript.ts';

/** The screenplay of a lesson, in the file `play.ts` of its folder. */
export interface Lesson {
  declares: Footprint;
  play(stage: Stage): Promise<void>;
}

/** Where a lesson's programs are played. What is told here, and what is read of them, becomes the transcript. */
export interface Stage {
  /** A part of the play. What still runs at its end is stopped with Ctrl-C. */
  scene(title: string, play: () => Promise<void>): Promise<void>;
  /** One that takes a broker of our own: with somebody else's it is left out. */
  sceneWithOwnBroker(title: string, play: (broker: OwnBroker) => Promise<void>): Promise<void>;
  /** The same, with all of Offload running there; its processes are told `env` besides what they need. */
  sceneWithOwnSystem(title: string, env: NodeJS.ProcessEnv, play: (system: OwnSystem) => Promise<void>): Promise<void>;
  /** Starts a program of the lesson, such as `receive`, in its scene. */
  start(program: string, options?: StartOptions): Program;
  /** The same, and waits for its end. */
  run(program: string, options?: StartOptions): Promise<void>;
  /** Opens a page in a browser; both are there until the scene ends. What the page does not catch is written down. */
  open(url: string): Promise<Page>;
  /** Writes a line that is none of a program's. */
  tell(who: string, words: string): void;
  /** A Python that has pika; it is installed where there is none. */
  findPython(): Promise<string>;
  freePort(): Promise<number>;
}

export interface StartOptions {
  /** its name in the transcript @default the program's */
  as?: string;
  /** @default none */
  args?: readonly string[];
  /** what runs it, where it is no TypeScript; its name then has its file's ending */
  interpreter?: string;
  /** besides AMQP_URL and what the player has @default none */
  env?: NodeJS.ProcessEnv;
}

export interface StageOptions {
  /** of the lesson's programs, from the repository's root */
  folder: string;
  /** the broker's */
  url: string;
  ownBroker: OwnBroker | undefined;
  /** for scenes with a system of our own */
  ownPostgres: OwnPostgres;
  /** kills whatever runs */
  abort: AbortSignal;
  /** is told what takes long */
  say(line: string): void;
}

export interface Played {
  transcript: Transcript;
  /** titles of the scenes that took a broker of our own, and there was none */
  leftOut: string[];
  stage: Stage;
}

export function createStage({ folder, url, ownBroker, ownPostgres, abort, say }: StageOptions): Played {
  const transcript = createTranscript();
  const leftOut: string[] = [];
  const onStage = new Set<Program>();
  const browsers = new Set<Browser>();

  const stage: Stage = {
    async scene(title, play) {
      transcript.scene(title);
      const closeBrowsers = async () => {
        for (const browser of browsers) await browser.close();
        browsers.clear();
      };
      const running = () => [...onStage].filter(({ over }) => !over);
      try {
        await play();
        await closeBrowsers();
        for (const program of running()) await program.stop();
      } catch (error) {
        await closeBrowsers();
        for (const program of running()) await program.kill(); // what they have printed may explain it
        throw error;
      } finally {
        onStage.clear();
      }
    },
    async sceneWithOwnBroker(title, play) {
      if (ownBroker) await stage.scene(title, () => play(ownBroker));
      else leftOut.push(title);
    },
    async sceneWithOwnSystem(title, env, play) {
      await stage.sceneWithOwnBroker(title, async ({ url: amqpUrl }) => {
        const databaseUrl = await ownPostgres.freshDatabase();
        const system = await startOwnSystem({ databaseUrl, amqpUrl, env, abort });
        try {
          await play(system);
          await system.kill();
        } catch (error) {
          await system.kill();
          throw withComplaints(error as Error, system.complaints);
        }
      });
    },
    start(program, { as = program, args = [], interpreter, env = {} } = {}) {
      const started = startProgram({
        file: `${folder}/${program}${interpreter === undefined ? '.ts' : ''}`,
        ...(interpreter !== undefined && { interpreter }),
        args,
        env: { ...process.env, ...env, AMQP_URL: url },
        abort,
        write: (line) => transcript.line(as, line),
      });
      onStage.add(started);
      return started;
    },
    async run(program, options) {
      await stage.start(program, options).ends();
    },
    async open(pageUrl) {
      const browser = await startBrowser(say, abort);
      browsers.add(browser);
      abort.addEventListener('abort', () => void browser.close());
      const page = await browser.newPage();
      page.on('pageerror', ({ message }) => transcript.line('browser', `not caught: ${message}`));
      await page.goto(pageUrl);
      return page;
    },
    tell: (who, words) => transcript.line(who, words),
    findPython: () => findPython(say, abort),
    freePort: () => freePort(),
  };
  return { transcript, leftOut, stage };
}
