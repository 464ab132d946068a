/** Name in a connection's URL, for which the server logs each statement with its duration. */
const NAME = 'timed';
/** Adds that name to a URL. */
export function timedUrl(url: string): string {
  const timed = new URL(url);
  timed.searchParams.set('application_name', NAME);
  timed.searchParams.set('options', '-c log_min_duration_statement=0');
  return timed.href;
}

/** Settings that the server needs for this. */
export const timedSettings = { log_line_prefix: '%a ', log_parameter_max_length: 0 };

/**
 * Reads durations of statements from a server's log: to parse, plan and run them, without network and client. `select
 * 1` closes a group. It is the last of its group in the log, because the lines of one connection stay in order.
 */
export function readServerTimes() {
  const line = new RegExp(`^${NAME} LOG: {2}duration: ([\\d.]+) ms {2}(.*)`);
  let groups: number[] = [];
  let sum = 0;
  let wake: () => void = () => undefined;

  return {
    log(text: string): void {
      const [, ms, what] = line.exec(text) ?? [];
      if (what !== 'statement: select 1') return void (sum += Number(ms ?? 0));
      groups.push(sum);
      sum = 0;
      wake();
    },
    /** Waits for `count` groups since the last call. @returns the milliseconds of each */
    async take(count: number): Promise<number[]> {
      while (groups.length < count) await new Promise<void>((resolve) => (wake = resolve));
      const taken = groups;
      groups = [];
      return taken;
    },
  };
}
