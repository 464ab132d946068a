// The processes of Offload, started from source for tests and proofs, and what talks to them.
export { checkedFetch } from './checked-fetch.ts';
export { openEvents, type EventStream, type ServerEvent } from './event-stream.ts';
export {
  clientOf,
  finished,
  getJob,
  holderOf,
  metric,
  post,
  submit,
  type Site,
  type Submission,
} from './job-client.ts';
export { repository, startProgram, type Environment, type Exit, type LogLine, type Program } from './program.ts';
export { agreedProfile, publishedCsv } from './reference-profile.ts';
export { databaseUrl, sql, withClient } from './sql.ts';
export { startSystem, type Readiness, type System, type SystemProcess, type SystemServers } from './system.ts';
export { startTarget, type Call, type Target } from './target.ts';
export { withTestServers } from './test-servers.ts';
