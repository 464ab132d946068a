import { useRef, useState } from 'react';

/** The state of the submissions of a component. */
export interface Submission<Given extends unknown[], Submitted> {
  /**
   * Submits a job. A call during a submission joins that submission. Never rejects; resolves with undefined when the
   * submission has failed.
   */
  submit(...given: Given): Promise<Submitted | undefined>;
  submitting: boolean;
  /** What `send` returned for the latest submission; undefined before. */
  submitted: Submitted | undefined;
  /** Why the latest submission has failed; undefined if it has not. */
  error: Error | undefined;
}

/**
 * Submits jobs from a page.
 *
 * @param send submits one job: by a call of the page's own server, or by a client
 * @example
 * const { submit, submitted } = useSubmit((seconds: number) => client.submit(demoSleep, { seconds }));
 * const { job } = useJob(submitted?.snapshot.links.events, { initial: submitted?.snapshot });
 */
export function useSubmit<Given extends unknown[], Submitted>(
  send: (...given: Given) => Promise<Submitted>,
): Submission<Given, Submitted> {
  const [state, setState] = useState<Omit<Submission<Given, Submitted>, 'submit'>>({
    submitting: false,
    submitted: undefined,
    error: undefined,
  });
  const underWay = useRef<Promise<Submitted | undefined>>(undefined);

  async function run(...given: Given): Promise<Submitted | undefined> {
    setState({ submitting: true, submitted: undefined, error: undefined });
    try {
      const submitted = await send(...given);
      setState({ submitting: false, submitted, error: undefined });
      return submitted;
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      setState({ submitting: false, submitted: undefined, error });
      return undefined;
    }
  }

  function submit(...given: Given): Promise<Submitted | undefined> {
    underWay.current ??= run(...given).finally(() => (underWay.current = undefined));
    return underWay.current;
  }

  return { submit, ...state };
}
