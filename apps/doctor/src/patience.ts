/** How long the doctor waits for what may be under way, in milliseconds. */
export interface Patience {
  /** For each server to let it in. @default 8_000 */
  connectMs: number;
  /** For a queue to answer. @default 5_000 */
  answerMs: number;
  /** For the answers to a liveness check, and for dispatch messages on their way from queue to claim. @default 2_000 */
  lookMs: number;
  /** From a liveness check that somebody left unanswered to the second. @default 4_000 */
  betweenCallsMs: number;
  /** How long a job must have been due for its dispatch message to be lost: a younger one's may be under way. @default 2_000 */
  settledMs: number;
  /** For a running api to dispatch what is pending again. @default 6_000 */
  dispatchingMs: number;
}

export const patient: Patience = {
  connectMs: 8_000,
  answerMs: 5_000,
  lookMs: 2_000,
  betweenCallsMs: 4_000,
  settledMs: 2_000,
  dispatchingMs: 6_000,
};
