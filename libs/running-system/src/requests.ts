// The door @offload/running-system/requests: what tests and proofs ask of a running system over HTTP.
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
