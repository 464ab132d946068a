import { join } from 'node:path';
import { runDoctor } from './doctor.ts';
import { exitCodes } from './exit-codes.ts';

process.stdout.on('error', () => process.exit()); // the reader of the output has gone, as `head` does

try {
  process.exitCode = await runDoctor(process.argv.slice(2), {
    env: process.env,
    root: join(import.meta.dirname, '../../..'),
    print: (text) => void process.stdout.write(`${text}\n`),
    complain: (text) => void process.stderr.write(`${text}\n`),
  });
} catch (error) {
  process.stderr.write(`${(error as Error).stack ?? String(error)}\n`);
  process.exitCode = exitCodes.software;
}
