import { parentPort } from 'node:worker_threads';

/**
 * Reports that the thread is ready, and then answers each task. Call it in the module of a thread of `createThreads`.
 * @param answer must not reject: a rejection ends the thread, and errors lose their class on the way out of it
 */
export function answerTasks<Task, Answer>(answer: (task: Task) => Promise<Answer>): void {
  parentPort?.postMessage('ready');
  parentPort?.on('message', (task: Task) => void answer(task).then((answered) => parentPort?.postMessage(answered)));
}
