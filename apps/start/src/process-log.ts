import { prettyFactory } from 'pino-pretty';

/** Writes lines of several processes into one log, each with the name of its process in front. */
export type ProcessLog = (name: string, line: string) => void;

const COLOURS = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94];

/**
 * A line that is a JSON object is taken for a record of pino and made readable; every other one stays as it is.
 * @param names of the processes, for the width of the column
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
