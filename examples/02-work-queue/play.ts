import type { Lesson, Stage } from '../player/stage.ts';

/** Starts the quick worker first, so that it gets the first task every time. */
async function hireTwo({ start }: Stage, prefetch: string) {
  const quick = start('worker', { as: 'quick', args: [prefetch] });
  await quick.prints('ready');
  const slow = start('worker', { as: 'slow', args: [prefetch, 'by-hand'] });
  await slow.prints('ready');
  return { quick, slow };
}

export const lesson: Lesson = {
  declares: { queues: ['tasks'] },

  async play(stage) {
    const { scene, run } = stage;

    await scene('round robin: both may hold ten tasks', async () => {
      const { quick, slow } = await hireTwo(stage, '10');
      await run('boss');
      await slow.prints('task 6');
      await quick.prints('task 5 is done'); // and now it is idle
      slow.pressEnter();
      await slow.prints('task 6 is done');
    });

    await scene('fair dispatch: both may hold one task', async () => {
      const { quick, slow } = await hireTwo(stage, '1');
      await run('boss');
      await slow.prints('task 2');
      await quick.prints('task 6 is done');
      slow.pressEnter();
      await slow.prints('task 2 is done');
    });
  },
};
