import type { Lesson } from '../player/stage.ts';

export const lesson: Lesson = {
  declares: { queues: ['hello'] },

  async play({ scene, sceneWithOwnBroker, start, run, tell }) {
    await scene('one program sends, another receives', async () => {
      const receive = start('receive');
      await receive.prints('waiting');
      await run('send');
      await receive.prints('received');
    });

    await scene('the queue keeps messages until a program receives them', async () => {
      await run('send', { args: ['first'] });
      await run('send', { args: ['second'] });
      await start('receive').prints('received: second');
    });

    await sceneWithOwnBroker('any other client may send', async ({ otherClient }) => {
      await otherClient.publish({ routingKey: 'hello', payload: 'Grüße from elsewhere' });
      tell('other', 'sent: Grüße from elsewhere');
      await start('receive').prints('received');
    });

    await sceneWithOwnBroker('any other client may receive', async ({ otherClient }) => {
      await run('send', { args: ['Grüße from us'] });
      const { payload, properties } = await otherClient.get('hello');
      tell('other', `received, as ${properties.content_type}: ${payload}`);
    });
  },
};
