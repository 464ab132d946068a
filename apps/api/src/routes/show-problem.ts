import { Problem } from '@offload/http';
import type { RequestHandler } from 'express';
import { problems, type Slug } from '../contract/problems.ts';

/** `GET /problems/{slug}`: explains the `type` of a problem (RFC 9457 section 3.1.1). */
export const showProblem: RequestHandler = (request, response) => {
  const slug = String(request.params['slug']);
  if (!Object.hasOwn(problems, slug)) throw new Problem(404, 'not-found', 'Not found', `There is no problem ${slug}`);
  response.json({ type: `/problems/${slug}`, ...problems[slug as Slug] });
};
