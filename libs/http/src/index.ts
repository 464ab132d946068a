// The HTTP service of every Offload process: health, metrics, problem details, and the requests that it refuses.
export { allowOrigins, corsOrigins } from './cors.ts';
export { allowedHostNames, allowedHosts, type AllowedHosts } from './foreign-requests.ts';
export { answers, type ReadinessCheck } from './health.ts';
export { createHttpService, listen, type HttpServiceOptions, type ListenOptions } from './http-service.ts';
export {
  invalidBody,
  invalidHeader,
  invalidMember,
  invalidParameters,
  methodNotAllowed,
  Problem,
  type Fault,
} from './problem.ts';
export { TOKEN_PARAMETER, withoutTokenParameter } from './token-parameter.ts';
