// An HTTP service as every process of Offload has one: its answers, its problems, and what it refuses.
export { budgetOf } from './byte-budget.ts';
export { allowOrigins, corsOrigins } from './cors.ts';
export { allowedHostNames, allowedHosts, type AllowedHosts } from './foreign-requests.ts';
export { answers, type ReadinessCheck } from './health.ts';
export { createHttpService, listen, type HttpServiceOptions, type ListenOptions } from './http-service.ts';
export { bodyDigest, jsonBody, type JsonBodyOptions } from './json-body.ts';
export {
  invalidBody,
  invalidHeader,
  invalidMember,
  invalidParameters,
  methodNotAllowed,
  Problem,
  type Fault,
} from './problem.ts';
export { sendJson, sendRawJson, shareable } from './send-json.ts';
export { TOKEN_PARAMETER, withoutTokenParameter } from './token-parameter.ts';
