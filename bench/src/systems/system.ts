import type { ProgramProcess } from '../app-process.ts';
import { clockMs } from '../clock.ts';

/** A measured system: Offload, or a peer at the same work. One system runs at a time; the servers of others idle. */
export interface System {
  readonly name: string;
  /** Why it can't be measured; undefined if it can. */
  readonly missing?: string | undefined;
  /** Whether it stores jobs, and whether it runs them. */
  readonly can: { store: boolean; run: boolean };
  /** The start of a pick-up: the 202 of the job, or the request for a system without a store. */
  readonly pickUpFrom: 'answer' | 'request';
  /** Whether an accepted job needs another step before it can run. */
  readonly usesOutbox: boolean;
  /** Number of jobs that one worker process runs in some seconds. */
  readonly jobsToRun: number;
  /** Empties its store, while none of its processes runs. */
  reset(): Promise<void>;
  startApi(): Promise<ProgramProcess>;
  startWorker(options: WorkerOptions): Promise<ProgramProcess>;
  /** The request for one no-op job. */
  one(): Request;
  many(count: number): Request;
  /** The request for several jobs that sleep. */
  manySleeping(count: number, seconds: number): Request;
  /** Resolves when all accepted jobs can run. */
  settled(): Promise<void>;
  /** Number of jobs in the store. */
  stored(): Promise<number>;
  /** Number of jobs that these workers have finished. A cheap call. */
  finished(workers: readonly ProgramProcess[]): Promise<number>;
  /** When each job was finished, in milliseconds since 1970, in any order. */
  finishedAt(workers: readonly ProgramProcess[]): Promise<number[]>;
  /** When each handler was called, by the job's id, for a worker that records calls. */
  calledAt(worker: ProgramProcess): Promise<Map<string, number>>;
  /** Checks the store after `count` jobs were run and the worker has ended. @throws Error that names the fault */
  verify(count: number): Promise<void>;
  /** Number of committed transactions so far, for systems with PostgreSQL. */
  transactions(): Promise<number>;
}

/** Options of a worker. */
export interface WorkerOptions {
  concurrency: number;
  /** Whether to record when each handler is called. @default false */
  recordCalls?: boolean;
}

/** A request to an api. */
export interface Request {
  path: string;
  body: string;
}

/** The payload of every no-op job. */
export const HELLO = { message: 'hello' };

/** Sends a request. @returns the answer of its 202, with its time in milliseconds since 1970 with fractions */
export async function send(url: string, { path, body }: Request): Promise<{ answer: unknown; atMs: number }> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url + path, { method: 'POST', headers, body });
  const atMs = clockMs();
  const answer: unknown = await response.json();
  if (response.status !== 202) throw new Error(`${path} was answered with ${response.status}`);
  return { answer, atMs };
}
