import { isDeepStrictEqual } from 'node:util';
import type { StoredJob } from './stored.ts';
import { isAsWanted, wantedOf, type Wanted } from './wanted.ts';

/** Records the accepted jobs, to compare them with the stored ones. */
export interface Account {
  /** Records a 2xx. Several requests may have led to the same job. `found` means that the job existed already. */
  took(id: string, run: number, wanted: Wanted | 'unknown' | 'found'): void;
  /** Records a 2xx to a request with an idempotency key. @returns the fault, or null */
  keyed(key: string, ids: readonly string[]): string | null;
  /** Records a request without an answer, which the api may have executed. */
  unanswered(run: number, wanted: readonly Wanted[]): void;
  deleted(id: string): void;
  /** Records a delete request without an answer. */
  perhapsDeleted(id: string): void;
  /** An id for each number. The first ones are those of the initial jobs. */
  jobId(number: number): string;
  readonly taken: number;
  /** Finds the faults of the stored jobs without the initial ones. */
  audit(rows: readonly StoredJob[]): { faults: string[]; ofUnanswered: number };
}

/** Opens an account. @param before ids of the initial jobs */
export function openAccount(before: readonly string[]): Account {
  const taken = new Map<string, { run: number; wanted: Wanted[]; known: boolean }>();
  const unanswered: { run: number; wanted: Wanted }[] = [];
  const byKey = new Map<string, string>();
  const deleted = new Set<string>();
  const perhapsDeleted = new Set<string>();
  /** Ids of initial jobs and the latest few, so that requests do not use up the initial ones. */
  const known = [...before];

  return {
    took(id, run, wanted) {
      const entry = taken.get(id) ?? { run, wanted: [], known: true };
      if (typeof wanted === 'object') entry.wanted.push(wanted);
      else if (wanted === 'unknown') entry.known = false;
      if (!taken.has(id)) known.push(id);
      taken.set(id, entry);
    },
    keyed(key, ids) {
      const first = byKey.get(key) ?? ids.join();
      byKey.set(key, first);
      return first === ids.join() ? null : `the key ${key} has led to ${first} before, and now to ${ids.join()}`;
    },
    unanswered(run, wanted) {
      unanswered.push(...wanted.map((each) => ({ run, wanted: each })));
    },
    deleted: (id) => void deleted.add(id),
    perhapsDeleted: (id) => void perhapsDeleted.add(id),
    jobId: (number) => known[number % 2 === 0 ? number % known.length : Math.max(0, known.length - number)] as string,
    get taken() {
      return taken.size;
    },
    audit(rows) {
      const faults: string[] = [];
      const left = [...unanswered];
      const stored = new Set(rows.map(({ id }) => id));
      let ofUnanswered = 0;
      for (const row of rows.filter(({ id }) => !before.includes(id))) {
        const entry = taken.get(row.id);
        const broken = faultsOf(row);
        faults.push(...broken.map((fault) => `job ${row.id}${entry ? ` of run ${entry.run}` : ''}: ${fault}`));
        if (deleted.has(row.id)) faults.push(`job ${row.id} is there, and its deletion was answered with 204`);
        if (entry && (!entry.known || entry.wanted.some((wanted) => isStoredAs(row, wanted)))) continue;
        if (entry && !entry.wanted.every((wanted) => isTwin(row, wanted))) {
          faults.push(`job ${row.id} of run ${entry.run} is not what was asked for: ${shown(row)}`);
          continue;
        }
        const place = left.findIndex(({ wanted }) => isStoredAs(row, wanted));
        if (place === -1) faults.push(`job ${row.id} was made by no request that was obeyed: ${shown(row)}`);
        else left.splice(place, 1);
        ofUnanswered += 1;
      }
      for (const [id, { run }] of taken) {
        if (stored.has(id) || deleted.has(id) || perhapsDeleted.has(id)) continue;
        faults.push(`job ${id} of run ${run} was answered with 2xx, and is not stored`);
      }
      return { faults, ofUnanswered };
    },
  };
}

/** Finds what the contract would refuse in a stored job. */
function faultsOf(row: StoredJob): string[] {
  const { type, queue, priority, tags, payload, maxAttempts, timeoutMs, backoff, dedupeKey, dueAt, traceparent } = row;
  const given = { type, queue, priority, tags, payload, maxAttempts, timeoutMs, backoff };
  const again = wantedOf({ ...given, ...(dedupeKey !== null && { dedupeKey }), runAt: dueAt.toISOString() });
  if (typeof again === 'string') return [`stored, but the contract refuses it: ${again}`];
  const faults: string[] = [];
  if (!isDeepStrictEqual(again.payload, payload))
    faults.push('its payload is not in the form that its schema gives it');
  if (traceparent !== null && !/^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(traceparent)) {
    faults.push(`its trace context is ${JSON.stringify(traceparent)}`);
  }
  return faults;
}

/** Whether the job may have been found by its dedupe key. */
function isTwin({ type, dedupeKey }: StoredJob, wanted: Wanted): boolean {
  return dedupeKey !== null && wanted.type === type && wanted.dedupeKey === dedupeKey;
}

/** Compares the due time too, unless a retry has set it. */
function isStoredAs(row: StoredJob, wanted: Wanted): boolean {
  const due = wanted.runAt === null ? row.createdAt.getTime() + wanted.delayMs : Date.parse(wanted.runAt);
  return isAsWanted(row, wanted) && (row.version > 2 || Math.abs(due - row.dueAt.getTime()) <= 1);
}

const shown = (row: StoredJob): string => JSON.stringify(row).slice(0, 600);
