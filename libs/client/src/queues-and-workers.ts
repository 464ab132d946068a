// What waits, and who works on it.

export interface QueueInfo {
  queue: string;
  /** The registered job types whose own queue it is, sorted. */
  types: string[];
  /** Queued jobs: they wait for a worker. */
  ready: number;
  running: number;
  scheduled: number;
  /** Workers that take jobs from it; null while RabbitMQ can not be asked, or where QUEUES does not name it. */
  consumers: number | null;
  /** How long ago the queued job that waits longest was due, in milliseconds; null when none waits. */
  oldestWaitingMs: number | null;
  /** Jobs that left the queue in a second, lately; null when not known. */
  drainPerSecond: number | null;
}

export interface WorkerInfo {
  instance: string;
  /** Of Offload. */
  version: string;
  queues: string[];
  /** Jobs that it runs at once, of each queue. */
  slots: number;
  /** Jobs that it runs now. */
  running: number;
  /** The version of each job type that it runs. */
  types: Record<string, number>;
  /** It takes no new jobs. */
  draining: boolean;
  startedAt: string;
  /** It is heard every ten seconds; one that is not for 30 is taken to be gone. */
  lastHeardAt: string;
}
