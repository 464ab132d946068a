/** How long the doctor waits for what may be under way, in milliseconds. */
export interface Patience {
  /** For each server to let it in. @default 8_000 */
  connectMs: number;
  /** For a queue to answer. @default 5_000 */
  answerMs: number;
  /** For the answers to a roll call, and for rings on their way from queue to claim. @default 2_000 */
  lookMs: number;
  /** From a roll call that somebody left unanswered to the second. @default 4_000 */
  betweenCallsMs: number;
  /** How long a job must have been due for its ring to be lost: a younger one's may be under way. @default 2_000 */
  settledMs: number;
  /** For a running api to ring what is owed again. @default 6_000 */
  ringingMs: number;
}

export const patient: Patience = {
  connectMs: 8_000,
  answerMs: 5_000,
  lookMs: 2_000,
  betweenCallsMs: 4_000,
  settledMs: 2_000,
  ringingMs: 6_000,
};
