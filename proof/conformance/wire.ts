import { once } from 'node:events';
import { connect } from 'node:net';
import { takeAnswer, type Answer } from './answer.ts';

/** Longest wait for an answer, or for the end of a connection, in milliseconds. */
const PATIENCE_MS = 5_000;

/** A connection that sends exactly the given bytes. */
export interface Wire {
  send(octets: string | Uint8Array): void;
  /** Closes the sending direction. Answers may still arrive. */
  finish(): void;
  /** The next answer, also an interim one (1xx). Rejects when the connection closes before, or after 5 s. */
  next(): Promise<Answer>;
  /** The answers until the api closes the connection. Rejects when it does not. */
  rest(): Promise<Answer[]>;
  close(): void;
}

/** @param toHead whether all its requests are HEAD */
export async function openWire(url: string, toHead = false): Promise<Wire> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  let text = '';
  let closed = false;
  socket.on('data', (chunk) => (text += chunk.toString('latin1')));
  socket.on('end', () => {
    closed = true;
    socket.end();
  });
  socket.on('error', () => undefined); // 'close' follows; a reset is a way to close
  socket.on('close', () => (closed = true));
  await once(socket, 'connect');

  /** Resolves with null when the connection is closed. */
  async function take(patience: AbortSignal): Promise<Answer | null> {
    for (;;) {
      const taken = takeAnswer(text, toHead);
      if (taken) {
        text = taken.rest;
        return taken.answer;
      }
      if (closed && text === '') return null;
      if (closed) throw new Error(`closed amid an answer: ${text.slice(0, 200)}`);
      const more = ['data', 'end', 'close'].map((event) => once(socket, event, { signal: patience }));
      await Promise.any(more).catch(() => undefined); // the time is over: reported below
      if (patience.aborted) throw new Error(`stayed open with ${JSON.stringify(text.slice(0, 200))}`);
    }
  }

  return {
    send: (octets) => void socket.write(octets),
    finish: () => void socket.end(),
    async next() {
      const answer = await take(AbortSignal.timeout(PATIENCE_MS));
      if (!answer) throw new Error('closed without an answer');
      return answer;
    },
    async rest() {
      const patience = AbortSignal.timeout(PATIENCE_MS);
      const answers: Answer[] = [];
      try {
        for (let answer = await take(patience); answer; answer = await take(patience)) answers.push(answer);
      } catch (error) {
        throw new Error(`after ${answers.map(({ status }) => status).join(', ') || 'no answer'}: ${String(error)}`);
      }
      return answers;
    },
    close: () => void socket.destroy(),
  };
}

/** Joins lines with HTTP line ends, followed by an empty line. */
export function head(...lines: string[]): string {
  return [...lines, '', ''].join('\r\n');
}
