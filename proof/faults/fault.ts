import type { TestBroker, TestPostgres } from '@offload/spec-kit/servers';
import type { Fleet } from './fleet.ts';
import type { Load } from './load.ts';
import type { Pace } from './pace.ts';
import type { Random } from './random.ts';

/** The moment of a fault. */
export interface Blow {
  /** Such as `kill -9 of worker-2`. */
  what: string;
  /** Same clock as `Run.startedAt`. */
  at: number;
  /** Jobs that have lost their dispatch message by the fault. */
  stranded: readonly number[];
}

/** The system that a fault strikes. */
export interface Scene {
  readonly fleet: Fleet;
  readonly broker: TestBroker;
  readonly postgres: TestPostgres;
  /** URL of the system's own database. */
  readonly databaseUrl: string;
  readonly load: Load;
  readonly pace: Pace;
  readonly random: Random;
  /** Number of runs so far that were not the first of their job. */
  runsAgain(): number;
  /** Records the fault. Call it at the moment of the fault. */
  strike(what: string, stranded?: readonly number[]): void;
}

/** Causes one fault. Resolves when all processes and servers run again. */
export type Fault = (scene: Scene) => Promise<void>;
