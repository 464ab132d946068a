// Every setting, out of the schemas that the processes parse their environment with.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { fromSource, root } from './source.mjs';

const schemas = {
  api: 'apps/api/src/config.ts',
  worker: 'libs/worker/src/config.ts',
  notifier: 'apps/notifier/src/config.ts',
};
const units = [
  [/_MS$/, 'milliseconds'],
  [/_SECONDS$/, 'seconds'],
  [/_DAYS$/, 'days'],
  [/_BYTES_/, 'bytes'],
];

/** `npm start` reads these itself, and hands on all others. */
const ofStart = {
  DATA_DIR: {
    default: '.offload',
    description: "Folder of the data and of the servers' passwords, relative to the repository's root.",
  },
};

/** docker-compose.yml reads these for itself; their defaults stand there. */
const ofCompose = {
  NOTIFIER_PORTS:
    'Ports on 127.0.0.1 for the notifiers: a range of as many as there are. ' +
    'There are two, or N with `--scale notifier=N`. NOTIFIER_URL names one of the ports.',
  RABBITMQ_MANAGEMENT_PORT: "Port on 127.0.0.1 of RabbitMQ's management page.",
  RABBITMQ_API_PASSWORD:
    'Password of the RabbitMQ user `api`. `docker compose up` puts a new one into effect. ' +
    'Percent-encode what a URL cannot hold (`%40` for `@`). ' +
    'On a machine with other users, set all these passwords and POSTGRES_PASSWORD.',
  RABBITMQ_WORKER_PASSWORD: 'Password of the RabbitMQ user `worker`.',
  RABBITMQ_NOTIFIER_PASSWORD: 'Password of the RabbitMQ user `notifier`.',
  RABBITMQ_DOCTOR_PASSWORD: 'Password of the RabbitMQ user `doctor`.',
  RABBITMQ_OPERATOR_PASSWORD:
    'Password of the RabbitMQ user `operator`, for the management page. ' +
    'By default compose makes a random one once. ' +
    '`docker compose exec rabbitmq cat /etc/rabbitmq/definitions/operator-password` shows it.',
  POSTGRES_PASSWORD:
    'Password of PostgreSQL, which takes it when its volume is new. ' +
    'It goes into a URL as it stands: A-Z, a-z, 0-9, "-", ".", "_" and "~" only.',
  POSTGRES_MAX_CONNECTIONS:
    "PostgreSQL's `max_connections`. It must hold DATABASE_POOL_SIZE connections of each process.",
  STOP_GRACE_PERIOD:
    'How long a container may take to stop before Docker kills it. It must exceed SHUTDOWN_GRACE_MS by 10 seconds.',
};

/**
 * @returns each setting as `{ name, processes, type, unit, preset, example, meanings }`; `meanings` has one text for all
 *   processes, or one for each text that differs, with the processes it holds for
 */
export async function settings() {
  const found = new Map();
  for (const [process, file] of Object.entries(schemas)) {
    const { configSchema } = await fromSource(file);
    const { properties } = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' });
    for (const [name, schema] of Object.entries(properties)) {
      if (!schema.description) throw new Error(`${file}: ${name} has no description`);
      const setting = found.get(name) ?? settingOf(name, schema);
      setting.processes.push(process);
      const meaning = setting.meanings.find(({ text }) => text === schema.description);
      if (meaning) meaning.processes.push(process);
      else setting.meanings.push({ text: schema.description, processes: [process] });
      found.set(name, setting);
    }
  }
  return [...found.values(), ...settingsOfStart(), ...settingsOfCompose(new Set(found.keys()))];
}

function settingOf(name, schema) {
  return {
    name,
    processes: [],
    meanings: [],
    type: typeOf(schema),
    unit: units.find(([pattern]) => pattern.test(name))?.[1],
    preset: Array.isArray(schema.default) ? '' : String(schema.default ?? ''),
    example: schema.examples?.[0] ?? '',
  };
}

function typeOf({ type, enum: choices, format, minimum, maximum }) {
  if (choices) return `one of ${choices.map((choice) => `\`${choice}\``).join(', ')}`;
  if (type === 'integer') return `whole number from ${minimum} to ${maximum}`;
  return format === 'uri' ? 'URL' : 'text';
}

function settingsOfStart() {
  return Object.entries(ofStart).map(([name, schema]) => ({
    ...settingOf(name, { type: 'string', ...schema }),
    processes: ['npm start'],
    meanings: [{ text: schema.description, processes: ['npm start'] }],
  }));
}

/** What docker-compose.yml takes from its environment, but for settings of a process, which it hands on. */
function settingsOfCompose(known) {
  const compose = readFileSync(join(root, 'docker-compose.yml'), 'utf8');
  const defaults = new Map(
    [...compose.matchAll(/\$\{([A-Z_]+):?-([^}]*)\}/g)].map(([, name, preset]) => [name, preset]),
  );
  const own = [...defaults.keys()].filter((name) => !known.has(name));
  const wrong = [
    ...own.filter((name) => !ofCompose[name]),
    ...Object.keys(ofCompose).filter((name) => !own.includes(name)),
  ];
  if (wrong.length > 0) throw new Error(`docker-compose.yml and its descriptions differ: ${wrong.join(', ')}`);
  return Object.entries(ofCompose).map(([name, description]) => ({
    ...settingOf(name, { type: 'string', default: defaults.get(name) }),
    processes: ['docker compose'],
    meanings: [{ text: description, processes: ['docker compose'] }],
  }));
}

/** @returns the settings by the processes that read them: `[{ title, settings }]`, those of most processes first */
export function groupsOf(all) {
  const groups = new Map();
  for (const setting of all) {
    const { length } = setting.processes;
    const title = length === Object.keys(schemas).length ? 'every process' : setting.processes.join(' and ');
    if (!groups.has(title)) groups.set(title, []);
    groups.get(title).push(setting);
  }
  return [...groups]
    .map(([title, members]) => ({ title, settings: members }))
    .sort((a, b) => b.settings[0].processes.length - a.settings[0].processes.length);
}
