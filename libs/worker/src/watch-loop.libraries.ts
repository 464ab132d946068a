// What the watching thread needs only while the event loop is blocked, which in most processes is never.
export { openDatabase } from '@offload/database';
export { createLogger } from '@offload/process';
