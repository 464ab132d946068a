/** How long the doctor waits for each step, in milliseconds. */
export interface Patience {
  /** For the connection to each server. @default 8_000 */
  connectMs: number;
  /** For the answer of a queue. @default 5_000 */
  answerMs: number;
  /** For answers to a liveness check, and for dispatch messages on their way to a claim. @default 2_000 */
  lookMs: number;
  /** From an unanswered liveness check to the second. @default 4_000 */
  betweenCallsMs: number;
  /** For how long a job must be due before its dispatch message can count as lost. @default 2_000 */
  settledMs: number;
  /** For a running api to send dispatch messages that were stored again. @default 6_000 */
  dispatchingMs: number;
}

/** The default times. */
export const patient: Patience = {
  connectMs: 8_000,
  answerMs: 5_000,
  lookMs: 2_000,
  betweenCallsMs: 4_000,
  settledMs: 2_000,
  dispatchingMs: 6_000,
};
