import { describe, expect, it } from '@jest/globals';
import { isFinished, type Job } from '@offload/jobs';
import fc from 'fast-check';
import { createJobWatcher } from './job-watcher.ts';

const LAST = 8;

function job(version: number): Job {
  return { id: 'a', version, status: version === LAST ? 'succeeded' : 'running' } as Job;
}
const event = (version: number): Buffer => Buffer.from(String(version));

/** Plays a watcher: the job is read after the versions `early` have arrived; the versions `late` arrive then. */
function play(early: number[], snapshot: number, late: number[], claimed?: number) {
  const shown: number[] = [];
  let ended = false;
  const stream = {
    write: (text: Buffer) => void (ended || shown.push(Number(text.toString()))),
    end: () => void (ended = true),
    sendAway: () => undefined,
  };
  const watcher = createJobWatcher();
  for (const version of early) watcher.notify(job(version), event(version));
  expect(watcher.seen()).toBe(0);
  watcher.begin(stream, job(snapshot), event(snapshot), claimed);
  for (const version of late) watcher.notify(job(version), event(version));
  return { shown, ended, seen: watcher.seen() };
}

const version = fc.integer({ min: 1, max: LAST });
const versions = fc.array(version, { maxLength: 40 });

describe('a watcher of a job', () => {
  it('gets increasing versions from the snapshot to the newest, the final one last, in any order of arrival', () => {
    fc.assert(
      fc.property(versions, version, versions, fc.option(version, { nil: undefined }), (early, read, late, claimed) => {
        const { shown, ended, seen } = play(early, read, late, claimed);
        for (const [at, one] of shown.entries()) expect(one).toBeGreaterThan(shown[at - 1] ?? 0);
        const newest = Math.max(read, ...early, ...late);
        expect(seen).toBe(newest);
        if (newest > Math.min(claimed ?? 0, read)) expect(shown.at(-1)).toBe(newest);
        // The stream begins with the read job, unless the client has seen that version already.
        if ((claimed ?? 0) < read) expect(shown[0]).toBe(read);
        expect(ended).toBe(shown.some((each) => isFinished(job(each).status)));
      }),
    );
  });

  it('misses no event that arrives while the snapshot is read, in any order', () => {
    expect(play([4, 2, 3, 3, 1], 2, [5, 4, 8]).shown).toEqual([2, 3, 4, 5, 8]);
  });

  it('keeps only the newest events that arrive while the job is read', () => {
    const early = Array.from({ length: 1_000 }, (_, at) => -at); // many old versions
    expect(play([...early, 6, 7], 5, []).shown).toEqual([5, 6, 7]);
  });

  it('ignores a claim to have seen a version that does not exist', () => {
    expect(play([], 2, [3], 999_999).shown).toEqual([3]);
  });
});
