// What the calls of the api answer.
export {
  jobPage,
  jobsTaken,
  jobTypeList,
  jobWithLinks,
  jsonWithLinks,
  problem,
  queueList,
  withLinks,
  type JobPage,
  type JobsTaken,
  type JobTypeInfo,
  type JobWithLinks,
  type QueueInfo,
} from './answers.ts';
