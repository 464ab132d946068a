// The table of pauses for docs/retries.md, as the worker computes them.
import { row } from './text.mjs';

const RETRIES = 10;

/**
 * @param retryDelayMs the worker's, with the random number as its third parameter
 * @param backoff of the default policy
 */
export function pausesSection(retryDelayMs, backoff) {
  const rows = [];
  let longest = 0;
  for (let failures = 1; failures <= RETRIES; failures += 1) {
    const [average, most] = [0.5, 1].map((random) => retryDelayMs(backoff, failures, () => random));
    longest += most;
    rows.push(row(String(failures), `0 to ${duration(most)}`, duration(average), duration(longest)));
  }
  const { baseMs, factor, maxMs } = backoff;
  return `With the default back-off (\`baseMs\` ${baseMs}, \`factor\` ${factor}, \`maxMs\` ${maxMs}):

${row('failed attempts', 'pause', 'on average', 'all pauses together, at most')}
${row('---', '---', '---', '---')}
${rows.join('\n')}`;
}

const duration = (ms) => (ms < 120_000 ? `${ms / 1_000} s` : `${(ms / 60_000).toFixed(1).replace('.0', '')} min`);
