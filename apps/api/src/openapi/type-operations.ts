import { jobTypeInfo, jobTypeList } from '@offload/jobs/answers';
import { z } from 'zod';
import type { Slug } from '../contract/problems.ts';
import { newTypeParameters, typeRegistration } from '../routes/register-job-type.ts';
import { jobTypeExample, typeRegistrationExamples } from './examples.ts';
import type { Operation } from './operation.ts';

const typeParameters = z.object({ type: z.string() });
const jobType = { schema: jobTypeInfo, example: jobTypeExample };
const body: Slug[] = ['malformed-json', 'body-too-large', 'unsupported-media-type'];

/** The calls about job types. */
export const typeOperations: Operation[] = [
  {
    method: 'get',
    path: '/v1/job-types',
    id: 'listJobTypes',
    summary: 'List job types',
    scope: 'read',
    answers: [{ status: 200, description: 'Each type with its policy and schemas.', schema: jobTypeList }],
  },
  {
    method: 'get',
    path: '/v1/job-types/{type}',
    id: 'showJobType',
    summary: 'Show a job type',
    scope: 'read',
    parameters: typeParameters,
    answers: [{ status: 200, description: 'The type, with all its versions.', ...jobType }],
    problems: ['job-type-not-found'],
  },
  {
    method: 'put',
    path: '/v1/job-types/{type}',
    id: 'registerJobType',
    summary: 'Register a version of a job type, as a worker does',
    description:
      'For programs in other languages; workers of Offload register their types by themselves. The schemas of a version stay as they ' +
      'are, but for words. Policy and description are those of the latest registration.',
    scope: 'work',
    parameters: newTypeParameters,
    body: { schema: typeRegistration, examples: typeRegistrationExamples },
    answers: [
      { status: 200, description: 'The version was registered before.', ...jobType },
      { status: 201, description: 'The version is new.', ...jobType },
    ],
    problems: [...body, 'schema-conflict'],
  },
  {
    method: 'delete',
    path: '/v1/job-types/{type}',
    id: 'removeJobType',
    summary: 'Remove a job type that is not in use',
    description: 'With all its versions. Finished jobs of it stay.',
    scope: 'operate',
    parameters: typeParameters,
    answers: [{ status: 204, description: 'The job type is removed.' }],
    problems: ['job-type-not-found', 'job-type-in-use'],
  },
];
