export class AwayError extends Error {
  constructor() {
    super('away');
  }
}

export class HeldUpError extends AwayError {}

/** The outcome of each call, or the message of its error. */
export const settled = (calls: Promise<string>[]): Promise<string[]> =>
  Promise.all(calls.map((call) => call.catch((error: Error) => error.message)));
