import type { Asked } from './asked.ts';
import type { Expected, Row } from './row.ts';
import { sleep } from './scene.ts';

/** A row with its faults. Without faults, the rule is met. */
export interface Verdict {
  row: Row;
  faults: readonly string[];
}

const LONGEST = 110;

/** The page as unformatted Markdown. It does not change from run to run while the same rules are met. */
export function conformancePage(verdicts: readonly Verdict[], versions: readonly string[]): string {
  const met = verdicts.filter(({ faults }) => faults.length === 0).length;
  const documents = [...new Set(verdicts.map(({ row }) => row.document))];
  return `# HTTP conformance

${verdicts.length} rules, ${met} met; ${versions.join(', ')}.

This page lists rules of documents about HTTP that the api follows. The part *Contract* has rules of the api itself
([http-api.md](http-api.md)) that the specs of apps/api and e2e do not test. Each rule is tested with real processes: apis, a
worker, PostgreSQL and RabbitMQ. Every answer is also checked by \`/openapi.json\`, except answers to broken framing.

Run \`npm run conformance\` to write this page; the command fails if a rule is not met. The command \`npm test\` also tests the
rules. In a request, \`⏎\` is a line break, and \`{job}\` a job that takes no time. The placeholders \`{id}\` and \`{etag}\` are those
of an existing job, and \`{unique}\` is new each time.

${documents.map((document) => table(document, verdicts)).join('\n\n')}
`;
}

function table(document: string, verdicts: readonly Verdict[]): string {
  const own = verdicts.filter(({ row }) => row.document === document);
  const sections = own.map(({ row }) => row.section);
  own.sort((a, b) => bySection(a.row.section, b.row.section, sections));
  const lines = own.map(({ row, faults }) => {
    const cells = [row.section, text(row.rule), code(askedOf(row)), text(answeredOf(row))];
    return `| ${[...cells, faults.length === 0 ? 'met' : '**not met**'].join(' | ')} |`;
  });
  const columns = ['section', 'rule', 'request', 'answer', ''];
  return [`## ${document}`, '', `| ${columns.join(' | ')} |`, `|${' --- |'.repeat(columns.length)}`, ...lines].join(
    '\n',
  );
}

/** The rules of a page: document, section, rule and request of each, in any formatting. */
export function listed(page: string): string[][] {
  let document = '';
  return page.split('\n').flatMap((line) => {
    if (line.startsWith('## ')) document = line.slice(3);
    const cells = line.split(/(?<!\\)\|/).map((cell) => cell.replace(/\\/g, '').replace(/\s+/g, ' ').trim());
    const [, section = '', rule = '', request = ''] = cells;
    return line.startsWith('|') && /^(\d|[A-Z])/.test(section) ? [[document, section, rule, request]] : [];
  });
}

/** Orders `4.2` before `4.10`, and named sections by their first place. */
function bySection(one: string, other: string, all: readonly string[]): number {
  if (!/^\d/.test(one)) return all.indexOf(one) - all.indexOf(other);
  const [a, b] = [one, other].map((section) => section.split('.').map(Number)) as [number[], number[]];
  for (let at = 0; at < Math.max(a.length, b.length); at += 1) {
    const difference = (a[at] ?? -1) - (b[at] ?? -1);
    if (difference !== 0) return difference;
  }
  return 0;
}

function askedOf(row: Row): string {
  if (row.asked !== undefined) return row.asked;
  if ('request' in row) return requestOf(row.request);
  return 'wire' in row ? row.wire.trim().replaceAll('\r\n', '⏎') : '';
}

function requestOf({ method, path, headers = {}, body, octets, by, at }: Asked): string {
  const verb = method ?? (body === undefined && octets === undefined ? 'GET' : 'POST');
  const named = Object.entries(headers).filter(([, value]) => value !== 'application/json');
  const fields = named.map(([name, value]) => `, ${name}: ${value}`);
  const sent = body === undefined ? String(octets ?? '') : JSON.stringify(body);
  const whose = by ? `, with the key of ${by}` : '';
  const where = at === 'stranded' ? ', without the database' : '';
  return `${verb} ${path}${fields.join('')}${whose}${where} ${sent}`.trim();
}

function answeredOf(row: Row): string {
  if ('answered' in row) return row.answered;
  return [row.expect].flat().map(answerOf).join('; ') || 'none';
}

function answerOf({ status, problem, headers = {}, body }: Expected): string {
  const fields = Object.entries(headers).map(([name, value]) => {
    if (value === null) return `no ${name}`;
    return value instanceof RegExp || value.includes('{') ? name : `${name}: ${value}`;
  });
  const answer = [[status, problem].filter(Boolean).join(' '), ...fields, ...membersOf(body)].join(', ');
  return answer.length > LONGEST ? `${answer.slice(0, LONGEST)}…` : answer;
}

/** The expected members of a body, and the places of its errors. */
function membersOf(body: unknown, at = ''): string[] {
  if (body instanceof RegExp) return [at];
  if (typeof body === 'string') return [/^[ -~]{0,40}$/.test(body) && !body.includes('{') ? `${at} ${body}` : at];
  if (body === null || typeof body !== 'object') return body === undefined ? [] : [`${at} ${String(body)}`];
  const { errors, ...others } = body as { errors?: Record<string, string>[] };
  const pointers = (errors ?? []).map((error) => Object.values(error)[0] || 'the body');
  const named = Object.entries(others).flatMap(([name, value]) => membersOf(value, at === '' ? name : `${at}/${name}`));
  return [...pointers, ...named];
}

function text(content: string): string {
  return content.replaceAll('|', '\\|').replaceAll('*', '\\*').replaceAll('<', '\\<');
}

/** Fields of nearly every request, which the page omits from long ones. */
const usual = ['⏎Host: api', '⏎Content-Type: application/json'];

/** Formats a text as code in one line, and cuts it if it is long. */
function code(whole: string): string {
  let content = whole.replaceAll(JSON.stringify(sleep).slice(0, -1), '{job');
  if (content.length > LONGEST) content = usual.reduce((shorter, each) => shorter.replace(each, ''), content);
  const printable = content.replace(/[\0-\x1f\x7f-\uffff]/g, (each) => (/[⏎…–äöü]/.test(each) ? each : escaped(each)));
  const short = printable.length > LONGEST ? `${printable.slice(0, LONGEST)}…` : printable;
  return `\`${short.replaceAll('|', '\\|').trim()}\``;
}

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
