import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Run, Runs } from './runs.ts';

/** The server that every job calls. A call is a run of the job: it takes the requested time, and is recorded. */
export interface Ledger {
  /** The URL of a job that takes `ms`, and `againMs` in later runs. The body of the answer is the job's number. */
  address(scenario: string, job: number, ms: number, againMs?: number): string;
  /** Number of a scenario's runs that were not the first of their job. */
  runsAgain(scenario: string): number;
  close(): void;
}

/** Starts a ledger on a free port. */
export async function openLedger(runs: Runs): Promise<Ledger> {
  const called = new Set<string>();
  const again = new Map<string, number>();
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://ledger');
    const [, scenario = '', job = ''] = pathname.split('/');
    const isAgain = called.has(pathname);
    called.add(pathname);
    if (isAgain) again.set(scenario, (again.get(scenario) ?? 0) + 1);
    const run: Run = { scenario, job: Number(job), startedAt: Date.now(), endedAt: null, answered: false };
    runs.keep(run);
    function end(answered: boolean): void {
      if (run.endedAt !== null) return;
      Object.assign(run, { endedAt: Date.now(), answered });
      runs.keep(run);
    }
    const ms = (isAgain && searchParams.get('again')) || searchParams.get('ms');
    const timer = setTimeout(() => response.end(job, () => end(true)), Number(ms));
    response.on('close', () => {
      clearTimeout(timer);
      end(response.writableFinished);
    });
  });
  server.keepAliveTimeout = 60_000; // so that it does not close a connection that a worker is about to use
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  return {
    address: (scenario, job, ms, againMs) =>
      `http://127.0.0.1:${port}/${scenario}/${job}?ms=${ms}${againMs === undefined ? '' : `&again=${againMs}`}`,
    runsAgain: (scenario) => again.get(scenario) ?? 0,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
