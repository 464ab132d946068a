import { z } from 'zod';
import { problemKind } from '../contract/problems.ts';
import type { Operation } from './operation.ts';

const health = z.object({ status: z.string(), checks: z.record(z.string(), z.string()).optional() });

/** What is asked of the api as a service, not of its jobs. */
export const serviceOperations: Operation[] = [
  {
    method: 'get',
    path: '/healthz',
    id: 'health',
    summary: 'Whether the process is alive',
    answers: [{ status: 200, description: 'It is.', schema: health, example: { status: 'alive' } }],
  },
  {
    method: 'get',
    path: '/readyz',
    id: 'readiness',
    summary: 'Whether it can do its work',
    answers: [
      {
        ...{
          status: 200,
          description: '`ready`, or `degraded`: without RabbitMQ jobs are still taken.',
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
    summary: 'Figures for Prometheus',
    answers: [{ status: 200, description: 'In its text format.', schema: z.string(), mediaType: 'text/plain' }],
  },
  {
    method: 'get',
    path: '/openapi.json',
    id: 'showContract',
    summary: 'This document',
    answers: [{ status: 200, description: 'OpenAPI 3.1.', schema: z.looseObject({ openapi: z.string() }) }],
  },
  {
    method: 'get',
    path: '/asyncapi.json',
    id: 'showMessages',
    summary: 'The messages: dispatch messages, events, control and webhooks',
    answers: [{ status: 200, description: 'AsyncAPI 3.0.', schema: z.looseObject({ asyncapi: z.string() }) }],
  },
  {
    method: 'get',
    path: '/docs',
    id: 'showDocs',
    summary: 'A page to read it and to try the calls',
    answers: [{ status: 200, description: 'The page.', schema: z.string(), mediaType: 'text/html' }],
  },
  {
    method: 'get',
    path: '/docs/{file}',
    id: 'showDocsFile',
    summary: 'What that page is made of',
    parameters: z.object({ file: z.string() }),
    answers: [
      { status: 200, description: 'The file.', schema: z.unknown(), mediaType: '*/*' },
      { status: 206, description: 'A range of it.', schema: z.unknown(), mediaType: '*/*' },
      { status: 304, description: 'You have it.' },
    ],
    problems: ['not-found', 'precondition-failed', 'range-not-satisfiable'],
  },
  {
    method: 'get',
    path: '/problems/{slug}',
    id: 'showProblem',
    summary: 'What a problem type means',
    parameters: z.object({ slug: z.string() }),
    answers: [{ status: 200, description: 'The problem type.', schema: problemKind }],
    problems: ['not-found'],
  },
];
