import type { Random } from '../random.ts';

/** The reaction of a receiver to a webhook. */
export type Answer =
  | 'delivered'
  | 'error'
  | 'reset'
  /** no answer until the sender gives up */
  | 'hang'
  /** to a path that nobody must ever ask for */
  | 'redirect'
  /** 503 with Retry-After */
  | 'slow down'
  /** 404: the receiver is not there yet */
  | 'not there'
  /** 410 */
  | 'gone';

/** The kinds of receivers. Their paths begin with the kind. */
export type Kind =
  | 'hook'
  /** wants none: 410 */
  | 'gone'
  /** asks the first time to wait */
  | 'slow'
  /** one path for many jobs: not there, and then, when it is told so, gone */
  | 'shared'
  /** of an endpoint for many jobs, which takes webhooks until it is told that it is gone */
  | 'closing';

const chances: readonly [upTo: number, answer: Answer][] = [
  [0.15, 'error'],
  [0.3, 'reset'],
  [0.35, 'hang'],
  [0.4, 'redirect'],
];

/**
 * Chooses the answer of a receiver. In four of ten cases it is a random failure, for any kind of receiver.
 *
 * @param before the earlier answers to this webhook
 * @param closed whether the receivers of this kind are gone
 */
export function answerOf(kind: Kind, before: readonly Answer[], closed: boolean, random: Random): Answer {
  const drawn = random();
  const chance = chances.find(([upTo]) => drawn < upTo);
  if (chance) return chance[1];
  if (kind === 'gone') return 'gone';
  if (kind === 'slow' && !before.includes('slow down')) return 'slow down';
  if (kind === 'shared') return closed ? 'gone' : 'not there';
  return kind === 'closing' && closed ? 'gone' : 'delivered';
}
