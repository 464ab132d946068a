import type { Claim, Outcome } from '@offload/database';
import { Counter, Gauge, Histogram, type Registry } from '@offload/process';

export interface JobMetrics {
  /** Counts one more running job until the returned function is called. */
  running(): () => void;
  delivery(claim: Claim): void;
  outcome(type: string, outcome: Outcome, seconds: number): void;
  fenced(): void;
}

export function createJobMetrics(registry: Registry): JobMetrics {
  const registers = [registry];
  /**
   * A rise of `takeover` means that workers die or lose connections. The claim `ended` counts jobs that lost their last
   * attempt in this way, and failed with `worker-lost`. The claims `held` and `refused` count messages that came twice
   * or late. They are harmless, unless they outnumber `claimed`.
   */
  const deliveries = new Counter({
    name: 'offload_deliveries_total',
    help: 'Dispatch messages received, by claim: claimed, takeover, ended, held or refused',
    labelNames: ['claim'],
    registers,
  });
  /**
   * A rise of the time means slower work. A rise of the outcome `failed` or `scheduled` means errors: read them with
   * `GET /v1/jobs?status=failed`. A rise of `queued` means that workers stop or lose their connection while they run
   * jobs.
   */
  const attempts = new Histogram({
    name: 'offload_attempt_duration_seconds',
    help: 'Runs of handlers by type and outcome; scheduled is a retry or a snooze, queued was given back',
    labelNames: ['type', 'outcome'],
    buckets: [0.005, 0.02, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1_800],
    registers,
  });
  /**
   * Each count is a job that ran twice: a worker finished it after another worker had taken it over, and the database
   * refused the outcome. Look for blocked event loops, frozen machines and broken connections. A second run must do no
   * harm: see the life of a job.
   */
  const fenced = new Counter({
    name: 'offload_fenced_total',
    help: 'Outcomes refused because another attempt held the job',
    registers,
  });
  /**
   * At WORKER_CONCURRENCY times the number of queues the worker is full. Add workers when jobs wait at the same time.
   */
  const running = new Gauge({
    name: 'offload_jobs_running',
    help: 'Jobs this worker is running now, from claim to outcome',
    registers,
  });
  return {
    running() {
      running.inc();
      return () => running.dec();
    },
    delivery: (claim) =>
      deliveries.inc({ claim: claim.kind === 'claimed' && claim.takeover ? 'takeover' : claim.kind }),
    outcome: (type, outcome, seconds) => attempts.observe({ type, outcome: outcome.status }, seconds),
    fenced: () => fenced.inc(),
  };
}
