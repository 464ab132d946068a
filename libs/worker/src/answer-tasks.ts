import { parentPort } from 'node:worker_threads';

/**
 * For the module of a thread that `createThreads` starts: says that the thread is ready, and then answers each task.
 * @param answer must not reject: that would end the thread, and errors lose their class on the way out of it
 */
export function answerTasks<Task, Answer>(answer: (task: Task) => Promise<Answer>): void {
  parentPort?.postMessage('ready');
  parentPort?.on('message', (task: Task) => void answer(task).then((answered) => parentPort?.postMessage(answered)));
}
