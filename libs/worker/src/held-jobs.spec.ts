import { expect, it } from '@jest/globals';
import { CancelledError, createHeldJobs } from './held-jobs.ts';

function setup() {
  const letGo = new AbortController();
  const channel = new AbortController();
  const otherChannel = new AbortController();
  const heldJobs = createHeldJobs(letGo.signal);
  return { letGo, channel, otherChannel, heldJobs, take: (id: string) => heldJobs.take(id, channel.signal) };
}

it('cancels every dispatch message of the job that is here, and no other', () => {
  const { heldJobs, take } = setup();
  const [one, twin, other] = [take('job'), take('job'), take('other')];
  heldJobs.cancel('job');
  expect([one, twin, other].map(({ cancelled, run }) => [cancelled, run.signal.aborted])).toEqual([
    [true, true],
    [true, true],
    [false, false],
  ]);
  expect(one.run.reason).toBeInstanceOf(CancelledError);
  expect(one.mustLetGo).toBe(false);
});

it('lists the jobs of this worker, claimed or not, until they are released', () => {
  const { heldJobs, take } = setup();
  const [first, , third] = [take('first'), take('second'), take('third')];
  first.claimed(1, 'spec.job');
  third.claimed(3, 'spec.job');
  expect(heldJobs.all()).toEqual([
    { jobId: 'first', attempt: 1 },
    { jobId: 'second', attempt: null },
    { jobId: 'third', attempt: 3 },
  ]);
  first.release();
  take('fourth').claimed(4, 'spec.job'); // in the place of the first
  expect(heldJobs.all()).toEqual([
    { jobId: 'fourth', attempt: 4 },
    { jobId: 'second', attempt: null },
    { jobId: 'third', attempt: 3 },
  ]);
});

it('lets go of the dispatch messages of a lost channel, and of no others', () => {
  const { heldJobs, take, channel, otherChannel } = setup();
  const lost = [take('one'), take('two')];
  const kept = heldJobs.take('three', otherChannel.signal);
  channel.abort(new Error('the channel is gone'));
  expect(lost.map(({ mustLetGo, run }) => [mustLetGo, run.reason?.message])).toEqual([
    [true, 'the channel is gone'],
    [true, 'the channel is gone'],
  ]);
  expect([kept.mustLetGo, kept.run.reason]).toEqual([false, undefined]);
});

it('lets go of all jobs when the worker stops, also of a job that arrives then', () => {
  const { take, letGo } = setup();
  const before = take('before');
  letGo.abort(new Error('the worker is stopping'));
  expect([before.mustLetGo, before.run.signal.aborted]).toEqual([true, true]);
  expect(take('after').mustLetGo).toBe(true);
});
