import { IncomingMessage, ServerResponse, type RequestListener } from 'node:http';
import type { Express } from 'express';

/** The classes of which a server makes its requests and responses. */
interface Messages {
  IncomingMessage?: typeof IncomingMessage;
  ServerResponse?: typeof ServerResponse;
}

/**
 * Requests and responses that are the application's own from the start, for `createServer`. Express gives each of them its
 * prototype when it comes, and V8 is slow with objects whose prototype was changed: that is more than half of what a
 * request costs in Express. Where it is the right one already, nothing is changed.
 *
 * @returns none for a listener that is no Express application
 */
export function messagesOf(app: RequestListener | Express): Messages {
  if (!('request' in app)) return {};
  class Request extends IncomingMessage {}
  class Response<From extends IncomingMessage = IncomingMessage> extends ServerResponse<From> {}
  app.request = Object.setPrototypeOf(Request.prototype, app.request) as typeof app.request;
  app.response = Object.setPrototypeOf(Response.prototype, app.response) as typeof app.response;
  return { IncomingMessage: Request, ServerResponse: Response };
}
