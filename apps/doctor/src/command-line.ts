import { parseArgs } from 'node:util';

/** A parsed command line. */
export type Command =
  | { do: 'help' }
  | { do: 'examine'; repair: boolean; json: boolean }
  | { do: 'list'; limit: number }
  | { do: 'show'; messageId: string }
  /** null: all of them */
  | { do: 'redrive'; messageId: string | null }
  | { do: 'delete'; messageId: string };

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 10_000;

/** The text of `--help`. */
export const HELP = `npm run doctor [-- command or options]: compares the database with the broker and says what disagrees

  --repair       repairs what it can, then examines again; does not touch dead letters
  --json         prints the report as JSON
  --help         this text

  dead-letters [list] [--limit N]   lists dead letters, oldest first, with the reason (${DEFAULT_LIMIT} of them)
  dead-letters show ID              shows properties, headers and body of one
  dead-letters redrive ID           sends it to its queue again, and then removes it; --all redrives every one
  dead-letters delete ID            removes it

ID is a message id, as the list shows it.

The exit code is 0 if all agrees or is done, 1 if something disagrees or could not be done, 64 for a wrong command line,
69 if the database or the broker can't be reached, 78 for a wrong configuration.

Environment, also from a file .env (the environment wins). Beside a running \`npm start\` none of it is needed:
  DATABASE_URL   PostgreSQL
  AMQP_URL       RabbitMQ, with a user who has all permissions on its queues: doctor, or operator
  AMQP_CA_FILE   the authority that signed the broker's certificate, for amqps:
  QUEUES         the same as for the api (default)
`;

/** Parses the command line. @throws Error that names the wrong argument */
export function readCommandLine(args: readonly string[]): Command {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      repair: { type: 'boolean' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
      limit: { type: 'string' },
      all: { type: 'boolean' },
    },
  });
  const { help = false, ...given } = values;
  if (help) return { do: 'help' };
  const [subject, action = 'list', messageId, ...more] = positionals;

  if (subject === undefined) {
    only(given, ['repair', 'json'], 'without a command');
    return { do: 'examine', repair: given.repair ?? false, json: given.json ?? false };
  }
  if (subject !== 'dead-letters') throw new Error(`there is no command "${subject}"`);
  if (more.length > 0) throw new Error(`"${more[0]}" is one argument too many`);
  const name = `dead-letters ${action}`;
  switch (action) {
    case 'list':
      only(given, ['limit'], name);
      if (messageId !== undefined) throw new Error(`"${messageId}" is one argument too many`);
      return { do: 'list', limit: limitOf(given.limit) };
    case 'show':
    case 'delete':
      only(given, [], name);
      if (messageId === undefined) throw new Error(`${name} needs a message id`);
      return { do: action, messageId };
    case 'redrive':
      only(given, ['all'], name);
      if ((messageId === undefined) === !given.all) throw new Error(`${name} needs a message id, or else --all`);
      return { do: 'redrive', messageId: messageId ?? null };
    default:
      throw new Error(`there is no command "${name}"`);
  }
}

function only(given: Record<string, unknown>, allowed: readonly string[], where: string): void {
  const wrong = Object.keys(given).find((name) => !allowed.includes(name));
  if (wrong !== undefined) throw new Error(`--${wrong} has no meaning ${where.startsWith('w') ? '' : 'for '}${where}`);
}

function limitOf(text: string | undefined): number {
  if (text === undefined) return DEFAULT_LIMIT;
  const limit = /^\d+$/.test(text) ? Number(text) : NaN;
  if (limit >= 1 && limit <= MAX_LIMIT) return limit;
  throw new Error(`--limit must be a whole number from 1 to ${MAX_LIMIT}, not "${text}"`);
}
