/**
 * Ends this program when the process that started it has gone, however that ended, or at a signal. Standard input is the
 * lifeline: it ends with the other end of its pipe.
 * @param stop runs once, before the program ends with exit code 0; with another when it fails
 */
export function endWithParent(stop: () => Promise<void>): void {
  let stopping = false;
  const end = async () => {
    if (stopping) return;
    stopping = true;
    await stop();
    process.exit();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
  process.stdin.on('end', end).on('error', end).resume();
  // Nobody reads our output any more:
  process.stdout.on('error', end);
  process.stderr.on('error', end);
}
