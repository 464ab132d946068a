import type { Database } from '@offload/database';
import { invalidBody, invalidParameters, Problem } from '@offload/http';
import { plainText, queueName } from '@offload/jobs';
import type { WorkerInfo } from '@offload/jobs/answers';
import { boundedParse, jobTypeName } from '@offload/jobs/definitions';
import type { Request, RequestHandler } from 'express';
import { z } from 'zod';
import type { Dispatcher } from '../dispatcher.ts';
import { instanceName } from './claim-job.ts';

/** Each read of the job types looks through the types of each worker. */
const MOST_TYPES = 1_000;

/** The body of `PUT /v1/workers/{instance}`: what is said of a worker. */
export const workerRegistration = z.strictObject({
  version: plainText(100).default('unknown').describe("The worker's own."),
  queues: z.array(queueName).min(1).max(100),
  slots: z.int().min(1).max(65_535).describe('Jobs that it runs at once, of each queue.'),
  types: z
    .record(jobTypeName, z.int32().min(1))
    .refine((types) => Object.keys(types).length <= MOST_TYPES, `must have at most ${MOST_TYPES} members`)
    .default({})
    .describe('The version of each job type that it runs.'),
});

/** The path's part of the calls about a worker. */
export const workerParameters = z.object({ instance: instanceName });

/** @throws Problem 400 where the path names no worker */
export function instanceOf(request: Request): string {
  const parsed = workerParameters.safeParse(request.params);
  if (!parsed.success) throw invalidParameters(parsed.error);
  return parsed.data.instance;
}

/**
 * `PUT /v1/workers/{instance}`: a worker that begins says who it is, so that it is listed and may be drained. It registers
 * its types by themselves.
 */
export function registerWorker({ database }: { database: Pick<Database, 'jobTypes'> }): RequestHandler {
  return async (request, response) => {
    const instance = instanceOf(request);
    const body = boundedParse(workerRegistration, request.body);
    if (!body.success) throw invalidBody(body.error);
    await database.jobTypes.register([], { ...body.data, instance, draining: false });
    response.json(await readWorker(instance, database));
  };
}

/** `DELETE /v1/workers/{instance}`: the worker has ended. */
export function removeWorker({ database }: { database: Pick<Database, 'jobTypes'> }): RequestHandler {
  return async (request, response) => {
    await database.jobTypes.leave(instanceOf(request));
    response.status(204).end();
  };
}

/**
 * `POST /v1/workers/{instance}/drain`: 202, and the worker is told to take no new jobs, to finish those that it has, and to
 * end. One that does not hear it over the broker hears it when it is heard next.
 */
export function drainWorker({
  database,
  dispatcher,
}: {
  database: Pick<Database, 'jobTypes'>;
  dispatcher: Dispatcher;
}): RequestHandler {
  return async (request, response) => {
    const instance = instanceOf(request);
    if (!(await database.jobTypes.drain(instance))) throw workerNotFound(instance);
    response.status(202).json(await readWorker(instance, database));
    void dispatcher.command({ command: 'drain', instance });
  };
}

/** @throws Problem 404 `worker-not-found` */
async function readWorker(instance: string, database: Pick<Database, 'jobTypes'>): Promise<WorkerInfo> {
  const found = (await database.jobTypes.workers()).find((worker) => worker.instance === instance);
  if (!found) throw workerNotFound(instance);
  return { ...found, queues: [...found.queues], types: { ...found.types } };
}

function workerNotFound(instance: string): Problem {
  return new Problem(404, 'worker-not-found', 'There is no such worker', `No worker is called ${instance}`);
}
