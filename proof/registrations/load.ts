import { post, type Site, type Submission } from '@offload/running-system/requests';
import { figure, median, ms } from '../figures.ts';

const PER_SECOND = 80;

/** Posts 80 jobs a second, to each api in turn. `stop` prints how many were refused. */
export function startLoad(apis: readonly Site[], job: Submission): { stop(): Promise<void> } {
  const refused: string[] = [];
  const tookMs: number[] = [];
  const underWay = new Set<Promise<void>>();
  let posts = 0;

  async function postOne(): Promise<void> {
    const from = performance.now();
    posts += 1;
    const { status } = await post(apis[posts % apis.length] as Site, job);
    if (status === 202) tookMs.push(performance.now() - from);
    else refused.push(String(status));
  }

  const timer = setInterval(() => {
    const posting = postOne()
      .catch((error: Error) => void refused.push(error.message))
      .finally(() => underWay.delete(posting));
    underWay.add(posting);
  }, 1_000 / PER_SECOND);
  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(underWay);
      const reasons = [...new Set(refused)].join(', ');
      const measured = `${refused.length} of ${posts} ${reasons}, median ${ms(median(tookMs))}`;
      figure(
        `refused of ${String(job.type)}, ${PER_SECOND} a second`,
        measured,
        'none',
        posts > 0 && refused.length === 0,
      );
    },
  };
}
