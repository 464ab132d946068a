// Loaded into every process under test. Its standard input is a pipe from the tests, which ends with them in any case,
// so that no process outlives them. Threads have a standard input of their own.
import type { Socket } from 'node:net';
import { isMainThread } from 'node:worker_threads';

if (isMainThread) {
  process.stdin
    .on('end', () => {
      process.kill(process.pid, 'SIGTERM'); // lets the process end its own children
      setTimeout(() => process.kill(process.pid, 'SIGKILL'), 12_000).unref();
    })
    .resume();
  (process.stdin as Socket).unref(); // it must not keep a finished process alive
}
