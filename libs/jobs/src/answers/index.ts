// The door @offload/jobs/answers: the schemas of the api's answers.
export {
  jobPage,
  jobsTaken,
  jobTypeInfo,
  jobTypeList,
  jobWithLinks,
  jsonWithLinks,
  problem,
  queueList,
  withLinks,
  workerList,
  type JobPage,
  type JobsTaken,
  type JobTypeInfo,
  type JobWithLinks,
  type QueueInfo,
  type WorkerInfo,
} from './answers.ts';
