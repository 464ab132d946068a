export { eventually, type EventuallyOptions } from './eventually.ts';
export { freshDatabaseUrl } from './fresh-database.ts';
export { freshVhost, manage, type FreshVhost } from './fresh-vhost.ts';
