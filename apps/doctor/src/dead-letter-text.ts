import type { JobStatus } from '@offload/jobs';
import type { BrowsedMessage } from '@offload/messaging/queues';
import { textIn, type DeadLetter } from './dead-letter.ts';
import { harmless, instant } from './wording.ts';

/** A dead letter with the status of its job; null if that job does not exist. */
export interface ListedDeadLetter extends DeadLetter {
  status: JobStatus | null;
}

const HEX_A_LINE = 64;

/** Formats a dead letter for the list: `  1  <message id>  <when>`, and a line for each known fact. */
export function deadLetterEntry(deadLetter: ListedDeadLetter, number: number): string {
  const { id, sentAt, queue, type, dispatch, reason, status } = deadLetter;
  const job =
    dispatch &&
    `job ${dispatch.jobId}${dispatch.type === null ? '' : ` (${dispatch.type})`}, ${status ?? 'not in the database'}`;
  return [
    `${String(number).padStart(4)}  ${id}  ${sentAt ? instant(sentAt) : 'when: unknown'}`,
    `      queue ${queue ?? 'unknown'}, type ${type ?? 'none'}, ${job ?? 'job unknown'}`,
    `      reason: ${reason}`,
  ]
    .map((line) => harmless(line))
    .join('\n');
}

/** Formats a dead letter in full: the entry of the list, then properties, headers and body. */
export function deadLetterInFull(
  deadLetter: ListedDeadLetter,
  number: number,
  { content, properties, fields }: BrowsedMessage,
): string {
  const { headers = {}, ...others } = properties;
  const known = Object.entries(others).filter(([, value]) => value !== undefined);
  const text = textIn(content);
  const bytes = `${content.length} byte${content.length === 1 ? '' : 's'}`;
  return [
    deadLetterEntry(deadLetter, number),
    section('properties', [...known, ['exchange', fields.exchange], ['routingKey', fields.routingKey]]),
    section('headers', Object.entries(headers)),
    `body, ${bytes}${text === null ? ', in hexadecimal, since it is not UTF-8' : ''}:`,
    text === null ? hexadecimal(content) : harmless(text, 'lines'),
  ].join('\n');
}

function section(title: string, entries: [string, unknown][]): string {
  const lines = entries.map(([name, value]) => `  ${name}: ${JSON.stringify(value, readable)}`);
  return [`${title}:${lines.length === 0 ? ' none' : ''}`, ...lines].map((line) => harmless(line)).join('\n');
}

/**
 * Formats a value that JSON lacks. amqplib gives bytes of a table as a Buffer, which JSON would write as a list of
 * numbers.
 */
function readable(_name: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  const { type, data } = (value ?? {}) as { type?: unknown; data?: unknown };
  return type === 'Buffer' && Array.isArray(data) ? Buffer.from(data as number[]).toString('hex') : value;
}

function hexadecimal(content: Buffer): string {
  return content.toString('hex').replaceAll(new RegExp(`.{${HEX_A_LINE}}(?=.)`, 'g'), '$&\n');
}
