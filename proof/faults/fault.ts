import type { TestBroker, TestPostgres } from '@offload/spec-kit/servers';
import type { Fleet } from './fleet.ts';
import type { Load } from './load.ts';
import type { Pace } from './pace.ts';
import type { Random } from './random.ts';

/** The moment at which a fault took effect. */
export interface Blow {
  /** `kill -9 of worker-2` */
  what: string;
  /** as `Run.startedAt` */
  at: number;
  /** jobs that the fault left without anybody who would dispatch them */
  stranded: readonly number[];
}

/** What a fault can take hold of. */
export interface Scene {
  readonly fleet: Fleet;
  readonly broker: TestBroker;
  readonly postgres: TestPostgres;
  /** of the system's own database */
  readonly databaseUrl: string;
  readonly load: Load;
  readonly pace: Pace;
  readonly random: Random;
  /** How many runs so far were not the first of their job. */
  runsAgain(): number;
  /** To be called at the moment the fault takes effect. */
  strike(what: string, stranded?: readonly number[]): void;
}

/** Does one fault, and resolves when it is over: everything runs again that did before. */
export type Fault = (scene: Scene) => Promise<void>;
