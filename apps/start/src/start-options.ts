import { parseArgs } from 'node:util';

export interface StartOptions {
  /** @default 2 */
  workers: number;
  /** @default 2 */
  notifiers: number;
  /** remove the data of earlier runs first @default false */
  fresh: boolean;
}

export const START_HELP = `npm start [-- options]: the whole system on this machine, without Docker

  --workers N    how many workers, 0 to 50 (2)
  --notifiers N  how many notifiers, 1 to 50 (2)
  --fresh        remove the data of earlier runs first
  --help         this text

Environment, also from a file .env (the environment wins):
  DATABASE_URL, AMQP_URL  a PostgreSQL or RabbitMQ that runs elsewhere, instead of one under .offload/
  DATA_DIR                folder of the data, the servers' passwords and the log of processes (.offload)
  API_PORT                of the api (3000)
  NOTIFIER_PORT           of the first notifier (3100), counting up
  WORKER_PORT             of the first worker's health and metrics (3200), counting up
Everything else in it is passed on to the processes: WORKER_CONCURRENCY, LOG_LEVEL, ...
`;

/**
 * Reads the command line.
 * @returns `help` when that is asked for
 * @throws Error that names the option at fault
 */
export function readStartOptions(args: readonly string[]): StartOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      workers: { type: 'string', default: '2' },
      notifiers: { type: 'string', default: '2' },
      fresh: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  return {
    workers: wholeNumber('--workers', values.workers, 0, 50),
    notifiers: wholeNumber('--notifiers', values.notifiers, 1, 50),
    fresh: values.fresh,
  };
}

/** @throws Error that names `name` when `text` is no whole number from `least` to `most` */
export function wholeNumber(name: string, text: string, least: number, most: number): number {
  const number = /^\d+$/.test(text) ? Number(text) : NaN;
  if (number >= least && number <= most) return number;
  throw new Error(`${name} must be a whole number from ${least} to ${most}, not "${text}"`);
}
