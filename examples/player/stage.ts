import { freePort } from '@offload/child-processes';
import { findPython, startBrowser } from '@offload/spec-kit/servers';
import type { Browser, Page } from 'playwright-core';
import type { Footprint } from './footprint.ts';
import type { OwnBroker } from './own-broker.ts';
import type { OwnPostgres } from './own-postgres.ts';
import { startOwnSystem, withComplaints, type OwnSystem } from './own-system.ts';
import { startProgram, type Program } from './program.ts';
import { createTranscript, type Transcript } from './transcript.ts';

/** The play of a lesson, in the file `play.ts` of its folder. */
export interface Lesson {
  declares: Footprint;
  play(stage: Stage): Promise<void>;
}

/** Plays the programs of a lesson. Their lines, and those of `tell`, become the transcript. */
export interface Stage {
  /** Plays a scene. At its end, running programs are stopped with Ctrl-C. */
  scene(title: string, play: () => Promise<void>): Promise<void>;
  /** Plays a scene that needs the player's own broker. It is omitted on another broker. */
  sceneWithOwnBroker(title: string, play: (broker: OwnBroker) => Promise<void>): Promise<void>;
  /** Plays a scene with all of Offload, whose processes get `env` too. It is omitted on another broker. */
  sceneWithOwnSystem(title: string, env: NodeJS.ProcessEnv, play: (system: OwnSystem) => Promise<void>): Promise<void>;
  /** Starts a program of the lesson, such as `receive`. */
  start(program: string, options?: StartOptions): Program;
  /** Starts a program and waits for its end. */
  run(program: string, options?: StartOptions): Promise<void>;
  /** Opens a page in a browser until the scene ends. Uncaught errors of the page are written down. */
  open(url: string): Promise<Page>;
  /** Writes a line that does not come from a program. */
  tell(who: string, words: string): void;
  /** A Python that has pika; it is installed where there is none. */
  findPython(): Promise<string>;
  freePort(): Promise<number>;
}

/** Options of `start` and `run`. */
export interface StartOptions {
  /** Name in the transcript. @default the program's */
  as?: string;
  /** @default none */
  args?: readonly string[];
  /** what runs it, where it is no TypeScript; its name then has its file's ending */
  interpreter?: string;
  /** besides AMQP_URL and what the player has @default none */
  env?: NodeJS.ProcessEnv;
}

/** What `createStage` needs. */
export interface StageOptions {
  /** Folder of the lesson's programs, from the repository's root. */
  folder: string;
  /** URL of the broker. */
  url: string;
  ownBroker: OwnBroker | undefined;
  /** The database server for scenes with a system. */
  ownPostgres: OwnPostgres;
  /** Kills all programs when it fires. */
  abort: AbortSignal;
  /** Gets a line before a step that takes a while. */
  say(line: string): void;
}

/** A stage with its results. */
export interface Played {
  transcript: Transcript;
  /** Titles of the omitted scenes, which need the player's own broker. */
  leftOut: string[];
  stage: Stage;
}

/** Makes the stage of a lesson. */
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
        for (const program of running()) await program.kill(); // their output may explain the error
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
