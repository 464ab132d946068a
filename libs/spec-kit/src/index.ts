// For tests only: databases, virtual hosts and servers of a test, and functions that wait, read and query there.
export { documentedVariables } from './documented-variables.ts';
export { eventually, type EventuallyOptions } from './eventually.ts';
export { freshDatabaseUrl } from './fresh-database.ts';
export { freshVhost, type FreshVhost } from './fresh-vhost.ts';
export { manage, type ManagedServer } from './manage.ts';
export { openRaw, parseAnswer, type RawClient } from './raw-http.ts';
export { take, takeAll } from './take.ts';
