import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { methodNotAllowed, Problem } from '@offload/http';
import express, { type Router } from 'express';
import { asyncApiDocument } from '../asyncapi/document.ts';
import { openApiDocument } from '../openapi/document.ts';

const assets = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));

/** The files of swagger-ui-dist that the page needs. */
const used = new Set(['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png']);

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Offload: the HTTP contract</title>
    <link rel="stylesheet" href="/docs/swagger-ui.css">
    <link rel="icon" href="/docs/favicon-32x32.png">
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/page.js"></script>
  </body>
</html>
`;

const script = `SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  persistAuthorization: true,
  tryItOutEnabled: true,
});
`;

/** The page may load and call this host only. Swagger UI styles elements by attribute, and its icons are data URLs. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * `GET /openapi.json`, `GET /asyncapi.json`, and `GET /docs`: a page to read the OpenAPI document and to try the calls.
 * The page needs no other host.
 */
export function docs(): Router {
  const router = express.Router({ caseSensitive: true, strict: true });
  const documents = { '/openapi.json': openApiDocument(), '/asyncapi.json': asyncApiDocument() };
  const files = express.static(assets, { index: false, redirect: false, maxAge: '1h' });

  for (const [path, document] of Object.entries(documents)) {
    const text = JSON.stringify(document);
    router
      .route(path)
      .get((_request, response) => void response.type('application/json').send(text))
      .all(methodNotAllowed('GET, HEAD'));
  }
  router.use('/docs', (_request, response, next) => {
    response.set('Content-Security-Policy', policy);
    next();
  });
  router
    .route('/docs')
    .get((_request, response) => void response.type('html').send(page))
    .all(methodNotAllowed('GET, HEAD'));
  router
    .route('/docs/:file')
    .get((request, response, next) => {
      const { file } = request.params;
      if (file === 'page.js') return void response.type('text/javascript').send(script);
      if (!used.has(file)) throw new Problem(404, 'not-found', 'Not found', 'The page has no such file');
      request.url = `/${file}`;
      if (request.method === 'HEAD') delete request.headers.range; // it is for GET alone (RFC 9110 section 14.2)
      files(request, response, next);
    })
    .all(methodNotAllowed('GET, HEAD'));
  return router;
}
