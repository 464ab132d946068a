import { freePort } from '@offload/infrastructure';
import type { Footprint } from './footprint.ts';
import type { OwnBroker } from './own-broker.ts';
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
  /** Starts a program of the lesson, such as `receive`, in its scene. */
  start(program: string, options?: StartOptions): Program;
  /** The same, and waits for its end. */
  run(program: string, options?: StartOptions): Promise<void>;
  /** Writes a line that is none of a program's. */
  tell(who: string, words: string): void;
  freePort(): Promise<number>;
}

export interface StartOptions {
  /** its name in the transcript @default the program's */
  as?: string;
  /** @default none */
  args?: readonly string[];
  /** besides AMQP_URL and what the player has @default none */
  env?: NodeJS.ProcessEnv;
}

export interface StageOptions {
  /** of the lesson's programs, from the repository's root */
  folder: string;
  /** the broker's */
  url: string;
  ownBroker: OwnBroker | undefined;
  /** kills whatever runs */
  abort: AbortSignal;
}

export interface Played {
  transcript: Transcript;
  /** titles of the scenes that took a broker of our own, and there was none */
  leftOut: string[];
  stage: Stage;
}

export function createStage({ folder, url, ownBroker, abort }: StageOptions): Played {
  const transcript = createTranscript();
  const leftOut: string[] = [];
  const onStage = new Set<Program>();

  const stage: Stage = {
    async scene(title, play) {
      transcript.scene(title);
      const running = () => [...onStage].filter(({ over }) => !over);
      try {
        await play();
        for (const program of running()) await program.stop();
      } catch (error) {
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
    start(program, { as = program, args = [], env = {} } = {}) {
      const started = startProgram({
        file: `${folder}/${program}.ts`,
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
    tell: (who, words) => transcript.line(who, words),
    freePort: () => freePort(),
  };
  return { transcript, leftOut, stage };
}
