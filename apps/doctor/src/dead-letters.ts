import { randomUUID } from 'node:crypto';
import type { JobStore } from '@offload/database';
import { exchanges, dispatchQueue } from '@offload/job-messages';
import { type Connection, type Publisher, PublishRefusedError } from '@offload/messaging';
import { type BrowsedMessage, browseQueue } from '@offload/messaging/queues';
import { deadLetterEntry, deadLetterInFull, type ListedDeadLetter } from './dead-letter-text.ts';
import { deathHeaders, readDeadLetter, type DeadLetter } from './dead-letter.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { counted, harmless } from './wording.ts';

/** What the commands for dead letters need. */
export interface DeadLetterParts {
  database: { jobs: Pick<JobStore, 'get'> };
  broker: Connection;
  publisher: Pick<Publisher, 'forward'>;
  /** Prints one or several lines. */
  print(text: string): void;
}

const QUEUE = exchanges.dead;

/** Lists dead letters, the oldest first, with the status of each job. */
export async function listDeadLetters(limit: number, parts: DeadLetterParts): Promise<ExitCode> {
  const { print } = parts;
  const deadLetters: DeadLetter[] = [];
  const visited = await browseQueue(parts.broker, {
    queue: QUEUE,
    limit,
    visit(message) {
      deadLetters.push(readDeadLetter(message));
      return 'keep';
    },
  });
  if (visited === null) return noQueue(print);
  if (visited === 0) print('There are no dead letters.');
  for (const [index, deadLetter] of deadLetters.entries())
    print(deadLetterEntry(await withStatus(deadLetter, parts), index + 1));
  if (visited === limit) print(`These are the oldest ${limit}; --limit shows more.`);
  return exitCodes.agrees;
}

/** Shows one dead letter in full. */
export async function showDeadLetter(id: string, parts: DeadLetterParts): Promise<ExitCode> {
  const found: { message: BrowsedMessage; number: number }[] = [];
  let number = 0;
  const visited = await browseQueue(parts.broker, {
    queue: QUEUE,
    visit(message) {
      number += 1;
      if (readDeadLetter(message).id === id) found.push({ message, number });
      return 'keep';
    },
  });
  if (visited === null) return noQueue(parts.print);
  if (found.length === 0) return notFound(id, parts.print);
  for (const { message, number: place } of found) {
    parts.print(deadLetterInFull(await withStatus(readDeadLetter(message), parts), place, message));
  }
  return exitCodes.agrees;
}

/**
 * Redrives dead letters: sends each to its queue as a new dispatch message, without the headers of its death. It
 * removes the dead letter when the broker has confirmed the new message. A crash in between leaves both, and the second
 * dispatch message only costs a refused claim.
 *
 * @param id the message id; null means all dead letters that exist now
 */
export async function redriveDeadLetters(id: string | null, parts: DeadLetterParts): Promise<ExitCode> {
  const { print } = parts;
  let sent = 0;
  let stay = 0;
  const visited = await browseQueue(parts.broker, {
    queue: QUEUE,
    async visit(message) {
      const deadLetter = readDeadLetter(message);
      if (id !== null && deadLetter.id !== id) return 'keep';
      const { queue } = deadLetter;
      const messageId = randomUUID(); // two dispatch messages with one id would count as two deliveries of one
      const refused = queue === null ? 'no queue is known for it' : await sendAgain(message, queue, messageId, parts);
      if (refused !== null) {
        stay += 1;
        print(harmless(`${deadLetter.id} stays: ${refused}`));
        return 'keep';
      }
      sent += 1;
      print(harmless(`${deadLetter.id} is in ${dispatchQueue(queue ?? '')} again, as ${messageId}`));
      return 'remove';
    },
  });
  if (visited === null) return noQueue(print);
  if (id !== null && sent + stay === 0) return notFound(id, print);
  print(`${counted(sent, 'dead letter')} sent again${stay > 0 ? `, ${stay} left` : ''}.`);
  return stay === 0 ? exitCodes.agrees : exitCodes.disagrees;
}

/** @returns why the broker did not accept it; null if it did */
async function sendAgain(
  message: BrowsedMessage,
  queue: string,
  messageId: string,
  { publisher }: DeadLetterParts,
): Promise<string | null> {
  try {
    const to = { exchange: exchanges.jobs, routingKey: queue, messageId, withoutHeaders: deathHeaders };
    await publisher.forward(message, to);
    return null;
  } catch (error) {
    if (!(error instanceof PublishRefusedError)) throw error;
    return `the broker has no queue ${dispatchQueue(queue)}, or the queue accepts no message (${error.message})`;
  }
}

/** Deletes one dead letter. */
export async function deleteDeadLetter(id: string, { broker, print }: DeadLetterParts): Promise<ExitCode> {
  let removed = 0;
  const visited = await browseQueue(broker, {
    queue: QUEUE,
    visit(message) {
      if (readDeadLetter(message).id !== id) return 'keep';
      removed += 1;
      return 'remove';
    },
  });
  if (visited === null) return noQueue(print);
  if (removed === 0) return notFound(id, print);
  print(`${counted(removed, 'dead letter')} deleted.`);
  return exitCodes.agrees;
}

async function withStatus(deadLetter: DeadLetter, { database }: DeadLetterParts): Promise<ListedDeadLetter> {
  const job = deadLetter.dispatch && (await database.jobs.get(deadLetter.dispatch.jobId));
  return { ...deadLetter, status: job?.status ?? null };
}

function noQueue(print: (text: string) => void): ExitCode {
  print(`The broker has no queue ${QUEUE}; --repair declares it.`);
  return exitCodes.disagrees;
}

function notFound(id: string, print: (text: string) => void): ExitCode {
  print(harmless(`There is no dead letter ${id}.`));
  return exitCodes.disagrees;
}
