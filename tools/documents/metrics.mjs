// docs/metrics.md: every metric, out of the source that defines it. Its doc comment says what to do when it changes.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { root } from './source.mjs';
import { capital, code, row, wrap } from './text.mjs';

/** The processes that have the metrics of a folder. */
const owners = {
  'apps/api': ['api'],
  'libs/worker': ['worker'],
  'apps/notifier': ['notifier'],
  'libs/process': ['api', 'worker', 'notifier'],
  'libs/http': ['api', 'worker', 'notifier'],
};
const kinds = ['Counter', 'Gauge', 'Histogram'];

/** @returns the metrics as `{ name, type, help, labels, advice, processes }`, by name */
export function metrics() {
  const folders = ['apps', 'libs'].flatMap((parent) =>
    readdirSync(join(root, parent)).map((name) => `${parent}/${name}`),
  );
  const found = folders.flatMap((folder) =>
    sourcesOf(folder).flatMap((file) =>
      metricsOf(file).map((metric) => ({ ...metric, processes: processesOf(folder) })),
    ),
  );
  return found.sort((a, b) => a.name.localeCompare(b.name));

  function processesOf(folder) {
    if (owners[folder]) return owners[folder];
    throw new Error(`tools/documents/metrics.mjs does not know which processes have the metrics of ${folder}`);
  }
}

function sourcesOf(folder) {
  const files = readdirSync(join(root, folder, 'src'), { recursive: true });
  return files.filter((file) => /(?<!\.spec|\.d)\.ts$/.test(file)).map((file) => `${folder}/src/${file}`);
}

function metricsOf(file) {
  const text = readFileSync(join(root, file), 'utf8');
  if (!kinds.some((kind) => text.includes(`new ${kind}(`))) return [];
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found = [];
  const visit = (node, statement) => {
    if (ts.isNewExpression(node) && kinds.includes(node.expression.getText())) found.push(metricOf(node, statement));
    ts.forEachChild(node, (child) => visit(child, ts.isStatement(child) ? child : statement));
  };
  visit(source, source);
  return found;
}

function metricOf(node, statement) {
  const of = (name) => node.arguments[0].properties.find((property) => property.name?.getText() === name)?.initializer;
  const comments = ts.getJSDocCommentsAndTags(statement).map(({ comment }) => ts.getTextOfJSDocComment(comment));
  const metric = {
    name: of('name').text,
    help: of('help').text,
    type: node.expression.getText().toLowerCase(),
    labels: of('labelNames')?.elements.map(({ text }) => text) ?? [],
    advice: comments.join(' '),
  };
  if (metric.help && metric.advice) return metric;
  throw new Error(`${metric.name} needs a text as its help, and a doc comment that says what to do`);
}

/** @returns docs/metrics.md */
export function metricsPage(all) {
  return `# Metrics

<!-- Written by \`npm run documents\` from the sources that define the metrics. -->

Each process answers \`GET /metrics\` in the format of Prometheus, with these metrics and with Node.js's own
(\`process_…\`, \`nodejs_…\`: memory, event loop, garbage collection). A label in braces splits a metric.

${row('metric', 'type', 'of', 'meaning')}
${row('---', '---', '---', '---')}
${all.map((metric) => row(`[${named(metric)}](#${metric.name})`, metric.type, processesOf(metric), metric.help)).join('\n')}

${all.map(section).join('\n\n')}
`;
}

const named = ({ name, labels }) => code(labels.length > 0 ? `${name}{${labels.join(',')}}` : name);
const processesOf = ({ processes }) => (processes.length === 3 ? 'every process' : processes.join(', '));

function section(metric) {
  return `## \`${metric.name}\`\n\n${wrap(`${capital(metric.help)}.`)}\n\n${wrap(metric.advice)}`;
}
