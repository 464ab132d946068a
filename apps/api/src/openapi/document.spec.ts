import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { jobWithLinks } from '@offload/jobs/answers';
import { findJobDefinition } from '@offload/jobs/job-types';
import { jobSubmission } from '@offload/jobs/submissions';
import { webhookBody } from '@offload/jobs/webhooks';
import { openApiDocument } from './document.ts';
import { batchExamples, jobExample, submissionExamples, webhookExample } from './examples.ts';
import { operations } from './operations.ts';

it('is kept in the repository as it is generated: npm run openapi', () => {
  const kept = readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8');
  expect(JSON.parse(kept)).toEqual(JSON.parse(JSON.stringify(openApiDocument())));
});

it('has examples that fit', () => {
  for (const example of [...Object.values(submissionExamples), ...batchExamples.two.jobs]) {
    const { type, payload } = jobSubmission.parse(example);
    findJobDefinition(type)?.payload.parse(payload);
  }
  jobWithLinks.parse(jobExample);
  webhookBody.parse(webhookExample);
  for (const { answers } of operations) {
    for (const { schema, example } of answers) if (example !== undefined) schema?.parse(example);
  }
});

it('refers to nothing that it does not have, and names each call once', () => {
  const document = openApiDocument();
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path]) => path as string);
  expect(references.length).toBeGreaterThan(50);
  for (const reference of references) {
    const found = reference
      .split('/')
      .reduce<unknown>((node, step) => (node as Record<string, unknown>)?.[step], document);
    expect([reference, typeof found]).toEqual([reference, 'object']);
  }
  const ids = operations.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});
