// The door @offload/running-system/requests: HTTP requests of tests and proofs to a running system.
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
