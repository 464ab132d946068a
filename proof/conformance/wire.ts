import { once } from 'node:events';
import { connect } from 'node:net';
import { takeAnswer, type Answer } from './answer.ts';

/** Longest wait for an answer, or for the end of a connection, in milliseconds. */
const PATIENCE_MS = 5_000;

/** A connection on which exactly what is told is sent. */
export interface Wire {
  send(octets: string | Uint8Array): void;
  /** Ends our side; answers may still come. */
  finish(): void;
  /** The next answer, interim ones (1xx) too. Rejects when the connection is closed before, or it takes too long. */
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

  /** Resolves with null when the connection was closed instead. */
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
      await Promise.any(more).catch(() => undefined); // patience is over: said below
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

/** Lines as HTTP ends them, with the empty one behind. */
export function head(...lines: string[]): string {
  return [...lines, '', ''].join('\r\n');
}
