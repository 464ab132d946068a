import { parseArgs } from 'node:util';

/** The options of `npm start`. */
export interface StartOptions {
  /** One entry for each worker: its queue, or undefined for those of QUEUES. @default two undefined */
  workers: readonly (string | undefined)[];
  /** @default 2 */
  notifiers: number;
  /** Whether to remove the data of earlier runs first. @default false */
  fresh: boolean;
  /** Whether to restart a process when its sources change. @default false */
  watch: boolean;
}

/** Most workers, and most notifiers. */
const MOST = 50;

/** The text of `--help`. */
export const START_HELP = `npm start [-- options]: the whole system on this machine, without Docker

  --workers N    how many workers, 0 to 50 (2); or so many of each queue: --workers documents=2,default=1
  --notifiers N  how many notifiers, 1 to 50 (2)
  --fresh        remove the data of earlier runs first
  --watch        start a process again when its sources change, give its jobs back, and replace schemas (npm run dev)
  --help         this text

Environment, also from a file .env (the environment wins):
  DATABASE_URL, AMQP_URL  a PostgreSQL or RabbitMQ elsewhere, instead of the one under .offload/
  DATA_DIR                folder of the data, the servers' passwords and the process records (.offload)
  API_PORT                port of the api (3000)
  NOTIFIER_PORT           port of the first notifier (3100); others use the next ports
  WORKER_PORT             port of the first worker's health and metrics (3200); others use the next ports
The processes get all other variables too: WORKER_CONCURRENCY, LOG_LEVEL, ...
`;

/**
 * Reads the command line.
 *
 * @returns the options, or `help` for `--help`
 * @throws Error that names the wrong option
 */
export function readStartOptions(args: readonly string[]): StartOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      workers: { type: 'string', default: '2' },
      notifiers: { type: 'string', default: '2' },
      fresh: { type: 'boolean', default: false },
      watch: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  return {
    workers: workersOf(values.workers),
    notifiers: wholeNumber('--notifiers', values.notifiers, 1, MOST),
    fresh: values.fresh,
    watch: values.watch,
  };
}

/** `3`, or `documents=2,default=1`. */
function workersOf(text: string): (string | undefined)[] {
  if (!text.includes('=')) return Array.from({ length: wholeNumber('--workers', text, 0, MOST) }, () => undefined);
  const workers = text.split(',').flatMap((part) => {
    const [queue = '', count = ''] = part.split('=', 2);
    if (queue === '') throw new Error(`--workers must name a queue before "=", as in documents=2, not "${part}"`);
    return Array.from({ length: wholeNumber(`--workers ${queue}=`, count, 0, MOST) }, () => queue);
  });
  if (workers.length > MOST) throw new Error(`--workers must be ${MOST} at most, not ${workers.length}`);
  return workers;
}

/** @throws Error that names `name` when `text` is not a whole number from `least` to `most` */
export function wholeNumber(name: string, text: string, least: number, most: number): number {
  const number = /^\d+$/.test(text) ? Number(text) : NaN;
  if (number >= least && number <= most) return number;
  throw new Error(`${name} must be a whole number from ${least} to ${most}, not "${text}"`);
}
