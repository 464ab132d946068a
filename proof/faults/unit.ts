import type { Played } from './play.ts';
import type { Scenario } from './scenarios.ts';

/** What a measurement found. */
export interface Measured {
  measured: string;
  goal: string;
  /** what must not be */
  failures: string[];
  /** its own section of the page, as Markdown, beginning with a heading; nothing where the row of the table says it all */
  section?: string;
}

/** What every measurement is told. */
export interface MeasureOptions {
  seed: number;
  /** Each process's log is kept here when something is not as it must be. */
  logs: string;
  /** Fires when there is no time left. */
  deadline: AbortSignal;
  say(line: string): void;
}

/** A scenario that was played, or could not be. */
export interface ScenarioResult {
  scenario: Scenario;
  played?: Played;
  failures: readonly string[];
}

/** A measurement that was made, or could not be. */
export interface MeasurementResult {
  /** for `--only` */
  name: string;
  tookMs: number;
  title: string;
  measured?: Measured;
  failures: readonly string[];
}
