// The registry: one line for each job type. The handlers are in apps/worker/src/handlers/index.ts.
export { csvProfile } from './csv.profile.ts';
export { demoEcho } from './demo.echo.ts';
export { demoSleep } from './demo.sleep.ts';
export { httpRequest } from './http.request.ts';
