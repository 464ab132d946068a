// Starts the processes of Offload for tests (compiled) and proofs (from source), with helpers that talk to them.
export { repository, startProgram, type Environment, type Exit, type LogLine, type Program } from './program.ts';
export { agreedProfile, publishedCsv } from './reference-profile.ts';
export { databaseUrl, sql, withClient } from './sql.ts';
export { startSystem, type Readiness, type System, type SystemProcess, type SystemServers } from './system.ts';
export { startTarget, type Call, type Target } from './target.ts';
export { withTestServers } from './test-servers.ts';
