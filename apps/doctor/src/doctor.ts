import { jobTopology } from '@offload/job-messages';
import { createPublisher } from '@offload/messaging';
import { inspectQueues, probeQueue } from '@offload/messaging/queues';
import { HELP, readCommandLine, type Command } from './command-line.ts';
import { readConfiguration, type Configuration } from './configuration.ts';
import { deleteDeadLetter, listDeadLetters, redriveDeadLetters, showDeadLetter } from './dead-letters.ts';
import { examine } from './examine.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { look } from './look.ts';
import { patient, type Patience } from './patience.ts';
import { repair } from './repair.ts';
import { conclusion, report, reportJson } from './report.ts';
import { connectTo, openServers, orUnreachable, UnreachableError, type Servers } from './servers.ts';

/** What a run of the doctor needs. */
export interface Surroundings {
  env: NodeJS.ProcessEnv;
  /** Root folder of the repository, with the file `.env`. */
  root: string;
  /** Prints one or several lines of the result or of an error. */
  print(text: string): void;
  complain(text: string): void;
  /** @default the times of patience.ts */
  patience?: Partial<Patience>;
}

type Examining = Extract<Command, { do: 'examine' }>;

/** Runs one command. Rejects only on an unexpected error. */
export async function runDoctor(args: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const { env, root, print, complain } = surroundings;
  const patience = { ...patient, ...surroundings.patience };
  const command = commandOf(args);
  if ('fault' in command) {
    complain(`${command.fault}\n\n${HELP.trimEnd()}`);
    return exitCodes.usage;
  }
  if (command.do === 'help') {
    print(HELP.trimEnd());
    return exitCodes.agrees;
  }
  const config = readConfiguration(env, root);
  if ('faults' in config) {
    complain(config.faults);
    return exitCodes.configuration;
  }

  try {
    const servers = await openServers(config, patience.connectMs);
    try {
      return await obey(command, { config, servers, patience, print });
    } catch (error) {
      throw orUnreachable(error);
    } finally {
      await servers.close();
    }
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error;
    complain(error.message);
    return exitCodes.unavailable;
  }
}

function commandOf(args: readonly string[]): Command | { fault: string } {
  try {
    return readCommandLine(args);
  } catch (error) {
    return { fault: (error as Error).message };
  }
}

interface Parts {
  config: Configuration;
  servers: Servers;
  patience: Patience;
  print(text: string): void;
}

function obey(command: Exclude<Command, { do: 'help' }>, { config, servers, patience, print }: Parts) {
  const { database, broker } = servers;
  const publisher = createPublisher(broker, { timeoutMs: 5_000 });
  const parts = { database, broker, publisher, print };
  switch (command.do) {
    case 'list':
      return listDeadLetters(command.limit, parts);
    case 'show':
      return showDeadLetter(command.messageId, parts);
    case 'redrive':
      return redriveDeadLetters(command.messageId, parts);
    case 'delete':
      return deleteDeadLetter(command.messageId, parts);
    case 'examine': {
      const declare = async (): Promise<void> =>
        (await connectTo(config, jobTopology(config.QUEUES), patience.connectMs)).close();
      const probe = (queue: string) =>
        probeQueue(broker, queue).ask({ timeoutMs: patience.answerMs, evenIfFilled: true });
      const more = {
        inspector: inspectQueues(broker),
        probe,
        queues: config.QUEUES,
        names: servers.names,
        declare,
        patience,
      };
      return examineAll(command, { ...parts, ...more });
    }
  }
}

type ExamineParts = Parameters<typeof look>[0] &
  Parameters<typeof repair>[1] & { names: Servers['names']; print(text: string): void };

async function examineAll({ repair: mends, json }: Examining, parts: ExamineParts): Promise<ExitCode> {
  const { names, print } = parts;
  let found = await look(parts);
  let repaired: string[] | null = null;
  if (mends) {
    if (!json) print(`${conclusion(examine(found))}\n`);
    repaired = await repair(found, parts);
    if (!json) print(`${repaired.length > 0 ? repaired.join('\n') : 'There is nothing that --repair can repair.'}\n`);
    if (repaired.length > 0) found = await look(parts);
  }
  const examination = examine(found);
  if (json) print(reportJson(found, examination, repaired));
  else print(report(found, examination, names));
  return examination.findings.length === 0 ? exitCodes.agrees : exitCodes.disagrees;
}
