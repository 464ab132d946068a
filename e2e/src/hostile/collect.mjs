// Loaded into the api under test: collects its garbage when it gets SIGUSR2, and says so. What it has then is in use.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';

if (isMainThread) {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  let times = 0;
  process.on('SIGUSR2', () => {
    collect();
    process.stdout.write(`${JSON.stringify({ level: 'info', msg: `garbage collected ${(times += 1)}` })}\n`);
  });
}
