import { prettyFactory } from 'pino-pretty';

/** Writes a line of a process to the log, after the name of the process. */
export type ProcessLog = (name: string, line: string) => void;

const COLOURS = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94];

/**
 * Makes one log for several processes. It makes a line that is a JSON object readable, as a record of pino, and prints
 * every other line unchanged.
 *
 * @param names names of the processes, for the width of the column
 */
export function createProcessLog(names: readonly string[], output: NodeJS.WriteStream): ProcessLog {
  const colorize = output.isTTY === true && !process.env['NO_COLOR'];
  const width = Math.max(...names.map((name) => name.length));
  const pretty = prettyFactory({
    colorize,
    ignore: 'pid,hostname,name,instance',
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
  });
  return (name, line) => {
    const colour = COLOURS[Math.max(0, names.indexOf(name)) % COLOURS.length];
    const prefix = `${name.padEnd(width)} |`;
    const text = line.startsWith('{') ? pretty(line) : line;
    for (const part of text.trimEnd().split('\n')) {
      output.write(`${colorize ? `\u001b[${colour}m${prefix}\u001b[39m` : prefix} ${part}\n`);
    }
  };
}
