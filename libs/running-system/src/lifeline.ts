// Loaded into every process under test: standard input is a pipe from the tests and ends with them, however they end, so
// that no process outlives them. Threads have a standard input of their own.
import type { Socket } from 'node:net';
import { isMainThread } from 'node:worker_threads';

if (isMainThread) {
  process.stdin
    .on('end', () => {
      process.kill(process.pid, 'SIGTERM'); // it may have processes of its own to end
      setTimeout(() => process.kill(process.pid, 'SIGKILL'), 12_000).unref();
    })
    .resume();
  (process.stdin as Socket).unref(); // it must not keep alive what is done
}
