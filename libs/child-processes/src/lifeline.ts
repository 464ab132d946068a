/**
 * Ends this program when its parent process has ended in any way, or at a signal. The parent holds the other end of
 * standard input, which ends with it.
 *
 * @param stop runs once before the end. The exit code is 0, or 1 if `stop` fails.
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
  // The reader of this program's output has gone:
  process.stdout.on('error', end);
  process.stderr.on('error', end);
}
