// docs/configuration.md and .env.example: the settings, as a page and as a file to copy.
import { groupsOf } from './settings.mjs';
import { capital, code, firstSentence, row, wrap } from './text.mjs';

/** @returns docs/configuration.md */
export function configurationPage(settings) {
  const groups = groupsOf(settings);
  return `# Configuration

<!-- Written by \`npm run documents\` from the schemas of the settings. -->

Processes read these variables from their environment. \`npm start\` and \`docker compose\` also read the file \`.env\`; the
environment wins over it. An empty variable counts as not set. [.env.example](../.env.example) has all of them to copy.

A process with a wrong setting exits with code 78 and names each fault on stderr. \`npm run doctor\` reads DATABASE_URL,
AMQP_URL, AMQP_CA_FILE and QUEUES. The command line of \`npm start\` has more options: \`npm start -- --help\`.

${row('setting', 'default', 'read by', 'meaning')}
${row('---', '---', '---', '---')}
${groups.flatMap((group) => group.settings.map((setting) => summary(setting, group.title))).join('\n')}

${groups.map(({ title, settings: members }) => `## ${capital(title)}\n\n${members.map(section).join('\n\n')}`).join('\n\n')}
`;
}

function summary({ name, preset, meanings }, readers) {
  const meaning = ofEach(meanings, (text) => firstSentence(text)).join(' ');
  return row(`[\`${name}\`](#${name.toLowerCase()})`, preset && code(preset), readers, meaning);
}

function section({ name, type, unit, preset, example, meanings }) {
  const facts = [
    type + (unit ? `, in ${unit}` : ''),
    preset ? `default ${code(preset)}` : 'no default',
    ...(example ? [`for example ${code(example)}`] : []),
  ];
  const meaning = ofEach(meanings, (text) => text).map((text) => wrap(text));
  return `### \`${name}\`\n\n${meaning.join('\n\n')}\n\n${wrap(`${capital(facts.join('; '))}.`)}`;
}

/** @returns .env.example */
export function exampleFile(settings) {
  const groups = groupsOf(settings).map(
    ({ title, settings: members }) => `# --- ${title} ---\n${members.map(entry).join('')}`,
  );
  return `# Every variable, with its default. Copy this file to .env, and uncomment what should differ from the default.
# The environment wins over .env. An empty variable counts as not set. \`npm run documents\` writes this file.

${groups.join('\n')}`;
}

function entry({ name, unit, preset, example, meanings }) {
  const lines = ofEach(meanings, (text) => wrap(unit ? `${text} In ${unit}.` : text, '# '));
  if (example) lines.push(`# For example ${example}`);
  return `${lines.join('\n')}\n#${name}=${preset}\n`;
}

/** @returns each meaning as `write` has it, behind the processes it holds for where there are several */
function ofEach(meanings, write) {
  return meanings.map(({ text, processes }) =>
    write(
      meanings.length === 1 ? text : `${capital(processes.join(' and '))}: ${text[0].toLowerCase()}${text.slice(1)}`,
    ),
  );
}
