import type { Played } from './play.ts';
import type { Scenario } from './scenarios.ts';

/** What a measurement found. */
export interface Measured {
  measured: string;
  goal: string;
  /** what must not be */
  failures: string[];
}

/** A scenario that was played, or could not be. */
export interface ScenarioResult {
  scenario: Scenario;
  played?: Played;
  failures: readonly string[];
}

/** A measurement that was made, or could not be. */
export interface MeasurementResult {
  title: string;
  measured?: Measured;
  failures: readonly string[];
}
