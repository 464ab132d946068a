import { pino, type Logger } from 'pino';

export type { Logger };

/** JSON lines on stdout, each with the process's `name` and `instance`. */
export function createLogger(name: string, options: { level: string; instance: string }): Logger {
  return pino({
    name,
    level: options.level,
    base: { instance: options.instance },
    formatters: { level: (level) => ({ level }) },
    timestamp: pino.stdTimeFunctions.isoTime,
  });
}
