// The answers of `GET /v1/queues` and `GET /v1/workers`.

/** A queue, as `GET /v1/queues` shows it. */
export interface QueueInfo {
  queue: string;
  /** The registered job types with this queue in their policy, sorted. */
  types: string[];
  /** Number of queued jobs, which wait for a worker. */
  ready: number;
  running: number;
  scheduled: number;
  /** Number of workers that consume the queue; null if RabbitMQ is not reachable or QUEUES does not name the queue. */
  consumers: number | null;
  /** Milliseconds since the longest waiting job was due; null when none waits. */
  oldestWaitingMs: number | null;
  /** Jobs that leave the queue in a second, measured recently; null when unknown. */
  drainPerSecond: number | null;
}

/** A worker, as `GET /v1/workers` shows it. */
export interface WorkerInfo {
  instance: string;
  /** The version of Offload. */
  version: string;
  queues: string[];
  /** Jobs of each queue that the worker runs at once. */
  slots: number;
  /** Jobs that the worker runs now. */
  running: number;
  /** The version of each job type that the worker runs. */
  types: Record<string, number>;
  /** True while the worker drains: it claims no new jobs. */
  draining: boolean;
  startedAt: string;
  /** Time of the last heartbeat. A worker sends one every ten seconds, and is regarded as lost after 30 seconds. */
  lastHeardAt: string;
}
