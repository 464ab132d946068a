import { pino, type Logger } from 'pino';

export type { Logger };

/** Makes a logger that writes JSON lines to stdout. Each line has the `name` and the `instance` of the process. */
export function createLogger(name: string, options: { level: string; instance: string }): Logger {
  return pino({
    name,
    level: options.level,
    base: { instance: options.instance },
    formatters: { level: (level) => ({ level }) },
    timestamp: pino.stdTimeFunctions.isoTime,
  });
}
