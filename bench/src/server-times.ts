/** Added to a connection's URL: the server writes each of its statements to its log, with how long it took. */
const NAME = 'timed';
export function timedUrl(url: string): string {
  const timed = new URL(url);
  timed.searchParams.set('application_name', NAME);
  timed.searchParams.set('options', '-c log_min_duration_statement=0');
  return timed.href;
}

/** What the server has to be started with. */
export const timedSettings = { log_line_prefix: '%a ', log_parameter_max_length: 0 };

/**
 * Reads a server's log for the time that statements took in it: to parse, plan and run them, without network and client.
 * A `select 1` closes a group; it is the last of its group in the log, since one connection's lines stay in order.
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
    /** The groups since it was asked for the last time, in milliseconds, once there are so many. */
    async take(count: number): Promise<number[]> {
      while (groups.length < count) await new Promise<void>((resolve) => (wake = resolve));
      const taken = groups;
      groups = [];
      return taken;
    },
  };
}
