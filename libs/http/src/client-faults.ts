import { randomUUID } from 'node:crypto';
import { STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Problem, problemDetails } from './problem.ts';
import { setTimer } from '@offload/process';

/** How long a refused client may go on sending, in milliseconds, before its connection is cut. */
const LINGER_MS = 1_000;
/** Bytes of a first line from which on a head that is too large is so because of it. */
const TARGET_LIMIT = 8_000;

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
}

/** What is under way on one connection. */
interface Connection {
  /** the one whose request began last, as long as it has not come to its end */
  latest: Exchange | null;
  /** answers that are not over; more than one where requests are sent without waiting (RFC 9112 section 9.3.2) */
  unfinished: ServerResponse[];
  /** a fault has been found: nothing that comes is a request any more */
  failed: boolean;
}

/** What the parser of Node.js adds to its errors. */
type ParseError = NodeJS.ErrnoException & { reason?: string; rawPacket?: Buffer };

/**
 * Answers as problems the faults that Node.js finds before, or while, the application reads a request: a malformed head or
 * chunk, too long a header, a request that does not come to its end in time. Then closes the connection, since it is not
 * known where the next request would begin.
 *
 * Answers to earlier requests on the connection come first. Where the answer to the request itself has begun already, the
 * connection is only closed.
 *
 * @returns to be called with each request, before anything else sees it
 */
export function answerClientFaults(server: Server): (request: IncomingMessage, response: ServerResponse) => void {
  const connections = new WeakMap<Socket, Connection>();

  function connectionOf(socket: Socket): Connection {
    const connection = connections.get(socket) ?? { latest: null, unfinished: [], failed: false };
    connections.set(socket, connection);
    return connection;
  }

  function refuse(stream: Duplex, problem: Problem): void {
    const socket = stream as Socket; // we speak no TLS
    const connection = connectionOf(socket);
    if (connection.failed) return; // each further packet is the same fault again
    connection.failed = true;
    // None: the fault is in a request whose head has not come to its end.
    const culprit = connection.latest?.request.complete === false ? connection.latest : null;
    const isLate = problem.status === 408;
    // The rest must not come after all and be acted on. After other faults it can't.
    if (isLate) socket.pause();

    const earlier = connection.unfinished.filter((response) => response !== culprit?.response);
    const over = earlier.map((response) => new Promise((resolve) => response.once('close', resolve)));
    void Promise.all(over).then(() => {
      if (!socket.writable) return socket.destroy();
      if (culprit?.response.headersSent) return socket.destroySoon();
      socket.write(answer(problem, culprit));
      // With the socket the request is aborted too, so that whoever reads its body hears of it.
      if (isLate || culprit) socket.destroy();
      else linger(socket);
    });
  }

  server.on('clientError', (error, stream) => refuse(stream, asProblem(error)));
  server.on('connect', (_request: IncomingMessage, stream) => {
    stream.on('error', () => stream.destroy()); // Node.js has let go of the connection
    const headers = { Allow: '' };
    refuse(stream, new Problem(405, 'method-not-allowed', 'Method not allowed', 'This is no proxy.', { headers }));
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

/** Whether what is too long is the target: the first line has no end. Told by what came last, so not always. */
function isInTarget(rawPacket: Buffer | undefined): boolean {
  const [line = ''] = (rawPacket?.toString('latin1') ?? '').split('\r\n', 1);
  return line.length > TARGET_LIMIT && /^[A-Z]+ /.test(line);
}

function asProblem({ code, reason, message, rawPacket }: ParseError): Problem {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new Problem(408, 'request-timeout', 'The request took too long', 'It has not come to its end in time.');
    case 'HPE_HEADER_OVERFLOW':
      if (isInTarget(rawPacket)) {
        return new Problem(414, 'uri-too-long', 'The target is too long', 'With the headers, 16 KiB are the most.');
      }
      return new Problem(
        431,
        'headers-too-large',
        'The headers are too large',
        'With the target, 16 KiB are the most.',
      );
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new Problem(413, 'body-too-large', 'The body is too large', 'Its chunks carry more than their data.');
    case 'HPE_INVALID_EOF_STATE':
      return new Problem(400, 'bad-request', 'The request cannot be read', 'It has not come to its end.');
    default:
      return new Problem(400, 'bad-request', 'The request cannot be read', reason ?? message);
  }
}

/** The octets of a last answer (RFC 9112 section 9.6). With no target known, `instance` is the request's id. */
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

/** What `allowOrigins` has said already; the fault is told the page, too. */
function corsHeaders(culprit: Exchange | null): Record<string, string> {
  const said = Object.entries(culprit?.response.getHeaders() ?? {});
  const ours = said.filter(([name]) => name === 'vary' || name.startsWith('access-control-'));
  return Object.fromEntries(ours.map(([name, value]) => [name, String(value)]));
}

/** Closes our direction only, for a while: closed with octets unread, TCP would take back an answer still on its way. */
function linger(socket: Socket): void {
  socket.end();
  socket.resume();
  const cut = setTimer(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(cut));
}
