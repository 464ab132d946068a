import type { Lesson } from '../player/stage.ts';

export const lesson: Lesson = {
  declares: { exchanges: ['news'], queues: ['scrapbook'] },

  async play({ scene, sceneWithOwnBroker, start, run, tell }) {
    await scene('every listening program receives it', async () => {
      const early = [start('listen', { as: 'anna' }), start('listen', { as: 'ben' })];
      for (const each of early) await each.prints('listening');
      await run('announce', { args: ['it rains'] });
      for (const each of early) await each.prints('it rains');

      const late = start('listen', { as: 'late' });
      await late.prints('listening');
      await run('announce', { args: ['the sun is out'] });
      for (const each of [...early, late]) await each.prints('the sun is out');
    });

    await scene('no program listens', () => run('announce', { args: ['anybody there?'] }));

    await sceneWithOwnBroker('any other client may announce, and listen', async ({ otherClient }) => {
      const anna = start('listen', { as: 'anna' });
      await anna.prints('listening');
      await otherClient.bind('scrapbook', 'news');
      await otherClient.publish({ exchange: 'news', payload: 'news from elsewhere' });
      tell('other', 'announced: news from elsewhere');
      await anna.prints('heard');
      await run('announce');
      await anna.prints('heard');
      tell('other', `heard: ${(await otherClient.get('scrapbook')).payload}`);
      tell('other', `heard: ${(await otherClient.get('scrapbook')).payload}`);
    });
  },
};
