// The registry: one line a job type. Its twin is libs/jobs/src/job-types/registry.ts.
export { csvProfile } from './csv.profile.ts';
export { demoEcho } from './demo.echo.ts';
export { demoSleep } from './demo.sleep.ts';
export { httpRequest } from './http.request.ts';
