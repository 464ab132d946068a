import type { Lesson } from '../player/stage.ts';

export const lesson: Lesson = {
  declares: { queues: ['orders'] },

  async play({ scene, sceneWithOwnBroker, start, run, tell }) {
    await scene('an order is taken', () => run('waiter'));

    await sceneWithOwnBroker('the broker is restarted', async (broker) => {
      await broker.stop();
      tell('broker', 'stopped');
      await broker.start();
      tell('broker', 'started');
    });

    await scene('nothing is gone, nor when a cook is killed at work', async () => {
      const first = start('cook', { as: 'cook 1', args: ['600'] });
      await first.prints('pizza');
      const second = start('cook', { as: 'cook 2', args: ['0'] });
      await second.prints('waiting');
      await first.kill();
      await second.prints('pizza is ready');
    });
  },
};
