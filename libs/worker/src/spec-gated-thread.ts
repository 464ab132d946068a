// A thread whose start waits at a gate, which a test opens. The gate comes from `setEnvironmentData`.
import { getEnvironmentData } from 'node:worker_threads';
import { answerTasks } from './answer-tasks.ts';

/** Whether it is open, and how many threads have come to it. */
const gate = getEnvironmentData('gate') as Int32Array;
Atomics.add(gate, 1, 1);
Atomics.wait(gate, 0, 0);

answerTasks((task) => {
  if (task === 'die') throw new Error('dead');
  return task === 'hang' ? new Promise<never>(() => undefined) : Promise.resolve(`answer to ${String(task)}`);
});
