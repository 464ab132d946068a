import { randomUUID } from 'node:crypto';
import { STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Problem, problemDetails } from './problem.ts';
import { setTimer } from '@offload/process';

/** Milliseconds that a refused client may go on sending before its connection is cut. */
const LINGER_MS = 1_000;
/** If the first line of a head has this many bytes, the target is what makes the head too large. */
const TARGET_LIMIT = 8_000;

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
}

/** The requests and answers of one connection. */
interface Connection {
  /** The exchange whose request began last; null once that request is complete. */
  latest: Exchange | null;
  /** Answers that have not ended; more than one where a client pipelines requests (RFC 9112 section 9.3.2). */
  unfinished: ServerResponse[];
  /** A fault was found: later bytes on this connection are not read as requests. */
  failed: boolean;
}

/** An error of Node.js's HTTP parser, with the members that the parser adds. */
type ParseError = NodeJS.ErrnoException & { reason?: string; rawPacket?: Buffer };

/**
 * Answers with a problem if Node.js finds a fault in a request: a malformed head or chunk, a long header, or a request
 * that does not end in time. Then it closes the connection, because the start of the next request is unknown.
 *
 * Answers to earlier requests on the connection are sent first. If the answer to the faulty request has begun already,
 * the connection is only closed.
 *
 * @returns a function to call with each request before any other listener sees it
 */
export function answerClientFaults(server: Server): (request: IncomingMessage, response: ServerResponse) => void {
  const connections = new WeakMap<Socket, Connection>();

  function connectionOf(socket: Socket): Connection {
    const connection = connections.get(socket) ?? { latest: null, unfinished: [], failed: false };
    connections.set(socket, connection);
    return connection;
  }

  function refuse(stream: Duplex, problem: Problem): void {
    const socket = stream as Socket; // the server has no TLS
    const connection = connectionOf(socket);
    if (connection.failed) return; // each further packet reports the same fault again
    connection.failed = true;
    // Null if the fault is in a request whose head is incomplete.
    const culprit = connection.latest?.request.complete === false ? connection.latest : null;
    const isLate = problem.status === 408;
    // Stop reading a late request, so that its rest is not acted on. After other faults the parser reads no further.
    if (isLate) socket.pause();

    const earlier = connection.unfinished.filter((response) => response !== culprit?.response);
    const over = earlier.map((response) => new Promise((resolve) => response.once('close', resolve)));
    void Promise.all(over).then(() => {
      if (!socket.writable) return socket.destroy();
      if (culprit?.response.headersSent) return socket.destroySoon();
      socket.write(answer(problem, culprit));
      // Destroying the socket aborts the request too: a reader of its body gets an error.
      if (isLate || culprit) socket.destroy();
      else linger(socket);
    });
  }

  server.on('clientError', (error, stream) => refuse(stream, asProblem(error)));
  server.on('connect', (_request: IncomingMessage, stream) => {
    stream.on('error', () => stream.destroy()); // Node.js no longer handles errors of this connection
    const headers = { Allow: '' };
    refuse(
      stream,
      new Problem(405, 'method-not-allowed', 'Method not allowed', 'This server is not a proxy.', { headers }),
    );
  });

  return (request, response) => {
    const connection = connectionOf(request.socket);
    const exchange = { request, response };
    connection.latest = exchange;
    connection.unfinished.push(response);
    response.once('close', () => {
      connection.unfinished.splice(connection.unfinished.indexOf(response), 1);
      if (connection.latest === exchange && request.complete) connection.latest = null; // an idle connection holds no body
    });
  };
}

/**
 * Whether the target is what is too long: its line has no end. Only the last packet is known, so this may miss some.
 */
function isInTarget(rawPacket: Buffer | undefined): boolean {
  const [line = ''] = (rawPacket?.toString('latin1') ?? '').split('\r\n', 1);
  return line.length > TARGET_LIMIT && /^[A-Z]+ /.test(line);
}

function asProblem({ code, reason, message, rawPacket }: ParseError): Problem {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new Problem(408, 'request-timeout', 'The request took too long', 'It was not complete in time.');
    case 'HPE_HEADER_OVERFLOW':
      if (isInTarget(rawPacket)) {
        return new Problem(
          414,
          'uri-too-long',
          'The target is too long',
          'Target and headers together may have 16 KiB at most.',
        );
      }
      return new Problem(
        431,
        'headers-too-large',
        'The headers are too large',
        'With the target, 16 KiB are the most.',
      );
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new Problem(413, 'body-too-large', 'The body is too large', 'Its chunk extensions are too large.');
    case 'HPE_INVALID_EOF_STATE':
      return new Problem(400, 'bad-request', 'The request cannot be read', 'It is incomplete.');
    default:
      return new Problem(400, 'bad-request', 'The request cannot be read', reason ?? message);
  }
}

/** The bytes of the last answer (RFC 9112 section 9.6). Without a known target, `instance` is the request's id. */
function answer(problem: Problem, culprit: Exchange | null): string {
  const requestId = String(culprit?.response.getHeader('x-request-id') ?? randomUUID());
  const target = (culprit?.request as { originalUrl?: string } | undefined)?.originalUrl;
  const body = problemDetails(problem, target ?? `urn:uuid:${requestId}`);
  const head = {
    Date: new Date().toUTCString(),
    'Content-Type': 'application/problem+json; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    'X-Request-Id': requestId,
    ...corsHeaders(culprit),
    ...problem.headers,
    Connection: 'close',
  };
  const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`);
  const status = `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\n`;
  return `${status}${lines.join('')}\r\n${culprit?.request.method === 'HEAD' ? '' : body}`;
}

/** The headers that `allowOrigins` has set already: a page that may call may read the fault too. */
function corsHeaders(culprit: Exchange | null): Record<string, string> {
  const said = Object.entries(culprit?.response.getHeaders() ?? {});
  const ours = said.filter(([name]) => name === 'vary' || name.startsWith('access-control-'));
  return Object.fromEntries(ours.map(([name, value]) => [name, String(value)]));
}

/** Closes the sending direction first. If unread bytes were pending at a full close, TCP would discard the answer. */
function linger(socket: Socket): void {
  socket.end();
  socket.resume();
  const cut = setTimer(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(cut));
}
