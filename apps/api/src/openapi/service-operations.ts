import { z } from 'zod';
import { problemKind } from '../contract/problems.ts';
import type { Operation } from './operation.ts';

const health = z.object({ status: z.string(), checks: z.record(z.string(), z.string()).optional() });

/** The operations of the process itself: health, metrics, documents. */
export const serviceOperations: Operation[] = [
  {
    method: 'get',
    path: '/healthz',
    id: 'health',
    summary: 'Check that the process is alive',
    answers: [{ status: 200, description: 'The process is alive.', schema: health, example: { status: 'alive' } }],
  },
  {
    method: 'get',
    path: '/readyz',
    id: 'readiness',
    summary: 'Check that the process can work',
    answers: [
      {
        ...{
          status: 200,
          description: '`ready`, or `degraded`: without RabbitMQ the api still accepts jobs.',
          schema: health,
        },
        example: { status: 'ready', checks: { database: 'ok', broker: 'ok' } },
      },
      { status: 503, description: '`unavailable`: the database does not answer.', schema: health },
    ],
  },
  {
    method: 'get',
    path: '/metrics',
    id: 'metrics',
    summary: 'Show the metrics for Prometheus',
    answers: [
      {
        status: 200,
        description: "The metrics in Prometheus' text format.",
        schema: z.string(),
        mediaType: 'text/plain',
      },
    ],
  },
  {
    method: 'get',
    path: '/openapi.json',
    id: 'showContract',
    summary: 'Show this document',
    answers: [{ status: 200, description: 'OpenAPI 3.1.', schema: z.looseObject({ openapi: z.string() }) }],
  },
  {
    method: 'get',
    path: '/asyncapi.json',
    id: 'showMessages',
    summary: 'Show the document of the messages and webhooks',
    answers: [{ status: 200, description: 'AsyncAPI 3.0.', schema: z.looseObject({ asyncapi: z.string() }) }],
  },
  {
    method: 'get',
    path: '/docs',
    id: 'showDocs',
    summary: 'Show a page to read this document and to try the calls',
    answers: [{ status: 200, description: 'The page.', schema: z.string(), mediaType: 'text/html' }],
  },
  {
    method: 'get',
    path: '/docs/{file}',
    id: 'showDocsFile',
    summary: 'Show a file of that page',
    parameters: z.object({ file: z.string() }),
    answers: [
      { status: 200, description: 'The file.', schema: z.unknown(), mediaType: '*/*' },
      { status: 206, description: 'A range of the file.', schema: z.unknown(), mediaType: '*/*' },
      { status: 304, description: 'The file has not changed.' },
    ],
    problems: ['not-found', 'precondition-failed', 'range-not-satisfiable'],
  },
  {
    method: 'get',
    path: '/problems/{slug}',
    id: 'showProblem',
    summary: 'Explain a problem type',
    parameters: z.object({ slug: z.string() }),
    answers: [{ status: 200, description: 'The problem type.', schema: problemKind }],
    problems: ['not-found'],
  },
];
