import type { ProgramProcess } from '../app-process.ts';

/** Starts a program, uses it when it is ready, and ends it in any case. */
export async function whileRunning<Result>(
  starting: Promise<ProgramProcess>,
  use: (program: ProgramProcess) => Promise<Result>,
): Promise<Result> {
  const program = await starting;
  try {
    return await use(program);
  } finally {
    await program.end();
  }
}

/** The same with several programs. */
export async function whileAllRunning<Result>(
  starting: readonly Promise<ProgramProcess>[],
  use: (programs: ProgramProcess[]) => Promise<Result>,
): Promise<Result> {
  try {
    return await use(await Promise.all(starting));
  } finally {
    const started = await Promise.allSettled(starting);
    await Promise.all(started.map((each) => each.status === 'fulfilled' && each.value.end()));
  }
}
