import { createInterface } from 'node:readline';

import { endWithParent } from '@offload/child-processes';

/**
 * Reads requests from standard input, one JSON array in a line. Answers each with a line `{ value }` or `{ error }`, in
 * their order. When standard input ends, this program ends.
 *
 * @param perform executes a request
 * @param abandon makes running requests fail, because the program is about to end
 * @param remove runs last
 */
export function answerRequests(
  perform: (request: unknown) => Promise<unknown>,
  { abandon, remove }: { abandon: () => void; remove: () => Promise<void> },
): void {
  let last: Promise<void> = Promise.resolve();

  async function answer(line: string): Promise<void> {
    const result = await (async () => perform(JSON.parse(line)))().then(
      (value) => ({ value }),
      (error: Error) => ({ error: error.message }),
    );
    process.stdout.write(`${JSON.stringify(result)}\n`);
  }

  createInterface({ input: process.stdin }).on('line', (line) => {
    last = last.then(() => answer(line));
  });
  endWithParent(async () => {
    abandon();
    await last;
    await remove();
  });
}
