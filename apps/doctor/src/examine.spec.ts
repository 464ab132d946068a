import { describe, expect, it } from '@jest/globals';
import { examine } from './examine.ts';
import type { Look, QueueLook, RunningLook } from './look.ts';

const queue: QueueLook = {
  queue: 'default',
  named: true,
  types: ['demo.sleep'],
  scheduled: 0,
  pending: 0,
  dispatched: 0,
  running: 0,
  broker: { waiting: 0, consumers: 2 },
  silent: null,
  lost: [],
};
const running: RunningLook = {
  id: '01a1fba9-679a-75c8-9117-2a8c29e05854',
  type: 'demo.sleep',
  queue: 'default',
  attempt: 1,
  holder: 'worker-1',
  silentMs: 100,
  cancelRequested: false,
  answered: true,
};
const sound: Look = {
  at: new Date(),
  calledAt: 0,
  queues: [{ ...queue, scheduled: 3, pending: 1, dispatched: 2, running: 1, broker: { waiting: 2, consumers: 2 } }],
  overdue: { count: 1, oldestMs: 300 },
  undispatched: 0,
  running: [running],
  deadLetters: 0,
  notCalled: null,
};

/** The findings as `code count`, with their messages. */
function found(look: Partial<Look>) {
  const { findings, notes } = examine({ ...sound, ...look });
  return {
    findings: findings.map(({ code, count }) => `${code} ${count}`),
    said: findings.map((each) => each.message),
    notes,
  };
}
const foundIn = (more: Partial<QueueLook>) => found({ queues: [{ ...queue, ...more }] });

describe('examine', () => {
  it('finds nothing where all agrees', () => {
    expect(examine(sound)).toEqual({ findings: [], notes: [] });
  });

  it('finds queued jobs without a dispatch message', () => {
    const { findings, said } = foundIn({ dispatched: 3, lost: ['a', 'b', 'c'] });
    expect(findings).toEqual(['lost-dispatches 3']);
    expect(said[0]).toBe(
      '3 queued jobs of default wait for a dispatch message that the broker does not have: it was lost.',
    );
  });

  it('finds a missing queue, also the queue of dead letters', () => {
    expect(foundIn({ broker: null, scheduled: 1 })).toMatchObject({
      findings: ['missing-queue 0'],
      said: ['The broker has no queue jobs.default.'],
    });
    expect(found({ deadLetters: null }).said).toEqual(['The broker has no queue jobs.dead for dead letters.']);
  });

  it("names a queue that does not answer, and ignores the broker's figures for it", () => {
    const silent = 'the queue jobs.default does not answer: it seems to have lost the majority of its members';
    const broker = { waiting: 0, consumers: 0 };
    const { findings, said } = foundIn({ dispatched: 2, running: 1, lost: ['a', 'b'], silent, broker });
    expect(findings).toEqual(['silent-queue 3']);
    expect(said[0]).toMatch(
      /^The queue jobs.default does not answer: .*: it accepts and delivers no dispatch messages/,
    );
  });

  it('finds a queue with jobs that QUEUES does not name, whether the broker has it or not', () => {
    expect(foundIn({ named: false, scheduled: 2 })).toMatchObject({ findings: ['unnamed-queue 2'] });
    const { findings, said } = foundIn({ named: false, dispatched: 1, lost: ['a'], broker: null });
    expect(findings).toEqual(['unnamed-queue 1', 'lost-dispatches 1']);
    expect(said[0]).toContain('and the broker has no jobs.default');
  });

  it.each([
    [{ pending: 1 }, 1],
    [{ dispatched: 1 }, 1],
    [{ running: 1 }, 1],
    [{ dispatched: 1, broker: { waiting: 1, consumers: 0 } }, 1],
  ])('finds that no worker consumes a queue with due jobs: %j', (more, count) => {
    const { findings } = foundIn({ broker: { waiting: 0, consumers: 0 }, ...more });
    expect(findings).toEqual([`no-consumer ${count}`]);
  });

  it('accepts a queue without consumers that has no due jobs', () => {
    expect(foundIn({ scheduled: 9, broker: { waiting: 0, consumers: 0 } }).findings).toEqual([]);
  });

  it('notes the job types whose queue no worker consumes, or QUEUES does not name', () => {
    const types = ['image.crop', 'image.resize'];
    const images = { queue: 'images', types, broker: { waiting: 0, consumers: 0 } };
    expect(foundIn(images)).toMatchObject({
      findings: [],
      notes: [
        'image.crop, image.resize have the queue images, which no worker consumes: their jobs wait until one has it in its QUEUES.',
      ],
    });
    expect(foundIn({ ...images, named: false, broker: null })).toMatchObject({
      findings: [],
      notes: [expect.stringMatching(/images, which QUEUES does not name: their jobs are refused unless/)],
    });
    expect(foundIn({ ...images, types: [] }).notes).toEqual([]);
  });

  it('finds each holder that did not answer, and names some of its jobs', () => {
    const jobs = ['a', 'b', 'c', 'd', 'e'].map((id) => ({ ...running, id, answered: false, silentMs: 125_000 }));
    const { findings, said } = found({ running: [...jobs, { ...running, answered: false, holder: null }, running] });
    expect(findings).toEqual(['silent-holder 5', 'silent-holder 1']);
    expect(said[0]).toMatch(/^worker-1 holds 5 running jobs .*: a \(silent for 2 min 5 s\), b .*, c .* and 2 more\.$/);
    expect(said[1]).toMatch(/^A worker without a name holds 1 running job /);
  });

  it('reports that holders are unknown when the liveness check could not be sent', () => {
    const { findings, said } = found({ notCalled: 'no exchange', running: [{ ...running, answered: null }] });
    expect(findings).toEqual(['liveness-unknown 1']);
    expect(said[0]).toContain('no exchange');
  });

  it('finds overdue dispatch messages while the broker is reachable, and scheduled jobs without one', () => {
    const { findings, said } = found({ overdue: { count: 2, oldestMs: 90_000 }, undispatched: 1 });
    expect(findings).toEqual(['overdue-dispatches 2', 'undispatched-jobs 1']);
    expect(said[0]).toContain('by up to 1 min 30 s');
  });

  it('counts dead letters as a disagreement', () => {
    expect(found({ deadLetters: 2 }).findings).toEqual(['dead-letters 2']);
  });

  it('notes dispatch messages without a queued job', () => {
    const { findings, notes } = foundIn({ dispatched: 1, broker: { waiting: 3, consumers: 1 } });
    expect([findings, notes]).toEqual([
      [],
      [expect.stringMatching(/^2 dispatch messages more than queued jobs wait in jobs\.default/)],
    ]);
  });
});
