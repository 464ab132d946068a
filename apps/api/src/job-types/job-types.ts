import type { Database } from '@offload/database';
import type { RegisteredType } from '@offload/database/job-types';
import type { JobRegistration, JsonSchema } from '@offload/jobs/definitions';
import { type Logger, type Loop, startLoop } from '@offload/process';
import type { z } from 'zod';
import { compileSchema, type SchemaCheck } from './schema-check.ts';

/** How often the table is read without a registration message, in milliseconds: a message may be lost. */
const READ_MS = 5_000;

/** The policy of a type: the defaults of its jobs. */
export type TypePolicy = Pick<JobRegistration, 'queue' | 'timeoutMs' | 'maxAttempts' | 'backoff'>;

/** A valid payload: the version that accepts it, and the payload to store. */
export interface TakenPayload {
  version: number;
  payload: unknown;
}

/** A job type that this api has in memory. */
export interface KnownType {
  policy: TypePolicy;
  /**
   * Checks a payload by the versions that may accept it.
   *
   * @returns the faults by the first version if none accepts it
   */
  take(payload: unknown): TakenPayload | { faults: z.ZodError };
  /**
   * Holds a result against the versions whose workers may have made it: the one that took the payload, and newer ones.
   *
   * @returns the faults that the newest of them finds; null where one of them allows it, or none of them is known
   */
  resultFaults(result: unknown, typeVersion: number): z.ZodError | null;
}

/** The checks of one version. */
interface VersionChecks {
  payloads: SchemaCheck;
  results: SchemaCheck;
}

/** The registered job types, in memory. */
export interface JobTypes extends Loop {
  find(type: string): KnownType | undefined;
  /** Every type, sorted. */
  names(): string[];
  /** The types of each queue, by the queue of their policy, sorted. */
  queues(): ReadonlyMap<string, string[]>;
  /** Reads the table. Requests that ask together share the read. */
  read(): Promise<void>;
}

export interface JobTypesParts {
  database: Pick<Database, 'jobTypes'>;
  /** @default 5_000 */
  everyMs?: number;
  /** Called with the types and their queues after each read. */
  onRead?: (types: readonly { type: string; queue: string }[]) => void;
  log: Logger;
}

/**
 * Keeps the registered types in memory. Reads the table at intervals, and on `wake`: call it for each registration
 * message.
 */
export function createJobTypes({ database, everyMs = READ_MS, onRead, log }: JobTypesParts): JobTypes {
  let types = new Map<string, KnownType>();
  let compiled = new Map<string, VersionChecks>();

  async function read(): Promise<void> {
    const rows = await database.jobTypes.list();
    const used = new Map<string, VersionChecks>();
    const checksOf = (row: RegisteredType): VersionChecks => {
      const key = `${row.type} ${row.version} ${row.fingerprint}`;
      const checks = compiled.get(key) ?? used.get(key) ?? newChecks(row, log);
      used.set(key, checks);
      return checks;
    };
    const known = new Map<string, KnownType>();
    for (const versions of byType(rows)) known.set(versions[0].type, knownType(versions, checksOf));
    types = known;
    compiled = used;
    onRead?.([...known].map(([type, { policy }]) => ({ type, queue: policy.queue })));
  }

  const names = (): string[] => [...types.keys()].sort();

  function queues(): Map<string, string[]> {
    const found = new Map<string, string[]>();
    for (const type of names()) {
      const { queue } = (types.get(type) as KnownType).policy;
      found.set(queue, [...(found.get(queue) ?? []), type]);
    }
    return found;
  }

  const loop = startLoop({
    name: 'job types',
    async round() {
      await read();
      return everyMs;
    },
    retryMs: 1_000,
    log,
  });
  return { ...loop, find: (type) => types.get(type), names, queues, read };
}

/**
 * The version for new payloads: the newest version that a worker runs now, or the newest of all if no worker runs the
 * type.
 *
 * @param versions of one type, the newest first
 */
export function currentOf<Version extends Pick<RegisteredType, 'workers'>>(versions: readonly Version[]): Version {
  return (versions.find(({ workers }) => workers.length > 0) ?? versions[0]) as Version;
}

/** The versions of each type, the newest first. */
export function byType(rows: readonly RegisteredType[]): [RegisteredType, ...RegisteredType[]][] {
  const types = new Map<string, [RegisteredType, ...RegisteredType[]]>();
  for (const row of rows) {
    const versions = types.get(row.type);
    if (versions) versions.push(row);
    else types.set(row.type, [row]);
  }
  return [...types.values()];
}

/** @param versions of the type, the newest first */
function knownType(versions: readonly RegisteredType[], checksOf: (row: RegisteredType) => VersionChecks): KnownType {
  const current = currentOf(versions);
  const known = versions.map((row) => ({ row, version: row.version, ...checksOf(row) }));
  const taking = known.filter(({ row, version }) => row === current || (current.upgrades && version < current.version));
  const { queue, timeoutMs, maxAttempts, backoff } = current;
  return {
    policy: { queue, timeoutMs, maxAttempts, backoff },
    take(payload) {
      let first: z.ZodError | undefined;
      for (const { version, payloads } of taking) {
        const faults = payloads.faults(payload);
        if (!faults) return { version, payload: payloads.filled(payload) };
        first ??= faults;
      }
      return { faults: first as z.ZodError };
    },
    resultFaults(result, typeVersion) {
      let first: z.ZodError | null = null;
      for (const { results } of known.filter(({ version }) => version >= typeVersion)) {
        const faults = results.faults(result);
        if (!faults) return null;
        first ??= faults;
      }
      return first;
    },
  };
}

function newChecks({ type, version, payloadSchema, resultSchema }: RegisteredType, log: Logger): VersionChecks {
  return {
    payloads: whenNeeded(payloadSchema, { type, version, of: 'payloads' }, log),
    results: whenNeeded(resultSchema, { type, version, of: 'results' }, log),
  };
}

/** Compiles the schema with its first value. One that can't be compiled allows any: the worker checks it. */
function whenNeeded(schema: JsonSchema, about: object, log: Logger): SchemaCheck {
  let check: SchemaCheck | undefined;
  function compiled(): SchemaCheck {
    try {
      return compileSchema(schema);
    } catch (error) {
      log.error(
        { err: error, ...about },
        "a job type's schema can't be compiled: what it is about is not checked here",
      );
      return { faults: () => null, filled: (value) => value };
    }
  }
  return {
    faults: (value) => (check ??= compiled()).faults(value),
    filled: (value) => (check ??= compiled()).filled(value),
  };
}
