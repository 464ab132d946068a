import type { ProgramProcess } from '../app-process.ts';
import { clockMs } from '../clock.ts';

/** A system under measurement: Offload, or a peer at the same work. One at a time runs; the servers of others idle. */
export interface System {
  readonly name: string;
  /** Why it can't be measured, if so. */
  readonly missing?: string | undefined;
  /** Whether it stores anything, and runs anything. */
  readonly can: { store: boolean; run: boolean };
  /** From when a job's pick-up is counted: its 202, or for what stores nothing the call that publishes it. */
  readonly pickUpFrom: 'answer' | 'request';
  /** Whether something is left to do for a job after it was accepted, before it can be run. */
  readonly usesOutbox: boolean;
  /** Jobs that one worker process is given to run: enough for some seconds. */
  readonly jobsToRun: number;
  /** Empties its store; nothing of it runs meanwhile. */
  reset(): Promise<void>;
  startApi(): Promise<ProgramProcess>;
  startWorker(options: WorkerOptions): Promise<ProgramProcess>;
  /** Path and body of a request for one job that does nothing. */
  one(): Request;
  many(count: number): Request;
  /** The same for jobs that sleep. */
  manySleeping(count: number, seconds: number): Request;
  /** Resolves when nothing is left to be done for accepted jobs but to run them. */
  settled(): Promise<void>;
  /** Jobs in the store. */
  stored(): Promise<number>;
  /** Jobs that have been finished, by these workers. Cheap. */
  finished(workers: readonly ProgramProcess[]): Promise<number>;
  /** When each was, in milliseconds since 1970, in any order. */
  finishedAt(workers: readonly ProgramProcess[]): Promise<number[]>;
  /** When each handler was called, by the job's id; of a worker that records it. */
  calledAt(worker: ProgramProcess): Promise<Map<string, number>>;
  /** Whether all is as it should be after so many jobs were run and the worker has ended. @throws Error that tells what is not */
  verify(count: number): Promise<void>;
  /** Committed transactions so far, where PostgreSQL does something for it. */
  transactions(): Promise<number>;
}

export interface WorkerOptions {
  concurrency: number;
  /** Keep when each handler was called. @default false */
  recordCalls?: boolean;
}

export interface Request {
  path: string;
  body: string;
}

/** The payload of every job that does nothing. */
export const HELLO = { message: 'hello' };

/** Sends a request. @returns what it was answered with 202, and when, in milliseconds since 1970 with fractions */
export async function send(url: string, { path, body }: Request): Promise<{ answer: unknown; atMs: number }> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url + path, { method: 'POST', headers, body });
  const atMs = clockMs();
  const answer: unknown = await response.json();
  if (response.status !== 202) throw new Error(`${path} was answered with ${response.status}`);
  return { answer, atMs };
}
