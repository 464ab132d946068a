// Libraries that the watching thread needs only while the event loop is blocked; in most processes it never is.
export { openDatabase } from '@offload/database';
export { createLogger } from '@offload/process';
