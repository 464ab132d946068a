import type { Played } from './play.ts';
import type { Scenario } from './scenarios.ts';

/** The result of a measurement. */
export interface Measured {
  measured: string;
  goal: string;
  /** Failures, one line for each kind. */
  failures: string[];
  /** A section of the page as Markdown with a heading; undefined if the row of the table suffices. */
  section?: string;
}

/** Options of every measurement. */
export interface MeasureOptions {
  seed: number;
  /** Folder for the logs of processes, which are kept after a failure. */
  logs: string;
  /** Fires when the time of the suite is over. */
  deadline: AbortSignal;
  say(line: string): void;
}

/** The result of a scenario, or the reason why it could not be played. */
export interface ScenarioResult {
  scenario: Scenario;
  played?: Played;
  failures: readonly string[];
}

/** The result of a measurement, or the reason why it could not be made. */
export interface MeasurementResult {
  /** Name for `--only`. */
  name: string;
  tookMs: number;
  title: string;
  measured?: Measured;
  failures: readonly string[];
}
