import { describeMachine } from '../faults/machine.ts';
import { BOUNDS } from './aftermath.ts';
import type { Failure } from './campaign.ts';
import type { Crowd } from './crowd.ts';
import type { Options } from './options.ts';
import { MOST, type Phase } from './phases.ts';
import type { Siege } from './siege.ts';

const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
const amount = (count: number): string => count.toLocaleString('en');

/** The results as Markdown. */
export function summary(siege: Siege, { seed, runs, only }: Options): string {
  const { campaign, warm, crowds, phases, excesses, aftermath, taken, tookMs } = siege;
  const { scripts, statuses, requests, failures, more } = campaign;
  const { vitals, stored, ofUnanswered, warnings, faults } = aftermath;
  const played = [...scripts.values()].reduce((sum, count) => sum + count, 0);
  const again = `npm run hostile -- --seed ${seed} --runs ${runs}${only === null ? '' : ` --only ${only}`}`;
  return `# Hostile requests

Node.js ${process.versions.node}, ${describeMachine()}. Again: \`${again}\`

${amount(played)} connections with ${amount(requests)} requests in ${(tookMs / 1_000).toFixed(0)} s${played < runs && only === null ? ', and no more: enough have failed' : ''}.
${amount(taken)} jobs were answered with 2xx; ${amount(stored)} are stored, of which ${amount(ofUnanswered)} belong to requests
that were cut off before their answer. ${amount(warnings)} lines of the log are warnings.

${table('connections, by what they try', scripts)}
${table('answers', statuses)}
| api | warm | afterwards | most |
| --- | --- | --- | --- |
| resident, MiB | ${mib(warm.residentBytes)} | ${mib(vitals.residentBytes)} | + ${mib(BOUNDS.residentBytes)} |
| heap and buffers, MiB | ${mib(warm.heapBytes)} | ${mib(vitals.heapBytes)} | + ${mib(BOUNDS.heapBytes)} |
| open files and sockets | ${warm.descriptors} | ${vitals.descriptors} | + ${BOUNDS.descriptors} |
| handles and requests of Node.js | ${warm.resources} | ${vitals.resources} | + ${BOUNDS.resources} |

At work for ${MOST.heldMs} ms at most without a turn for others, and ${mib(MOST.moreBytes)} MiB larger than warm:

| while it was sent | | longest silence, ms | of which at work | largest so far, MiB |
| --- | --- | --- | --- | --- |
${phases.map(strained).join('')}
| at once | answers |
| --- | --- |
${crowds.map(answered).join('')}

${failures.map((failure) => failed(failure, seed)).join('\n')}
${faults.map((fault) => `- afterwards: ${fault}\n`).join('')}${excesses.map((excess) => `- too much: ${excess}\n`).join('')}
${failures.length + faults.length + excesses.length === 0 ? 'Everything is as it should be.' : `${failures.length} kinds of failures in requests (${more} more like them), ${faults.length} faults afterwards, ${excesses.length} times too much.`}
`;
}

function strained({ what, process, strain: { silentMs, heldMs, mostResidentBytes } }: Phase): string {
  return `| ${what} | ${process} | ${silentMs.toFixed()} | ${heldMs.toFixed()} | ${mib(mostResidentBytes)} |\n`;
}

function answered({ what, answers }: Crowd): string {
  const counts = [...answers].sort(([one], [other]) => (one < other ? -1 : 1));
  return `| ${what} | ${counts.map(([status, count]) => `${count} times ${status}`).join(', ')} |\n`;
}

function table(name: string, counts: ReadonlyMap<string, number>): string {
  const rows = [...counts].sort(([one], [other]) => (one < other ? -1 : 1));
  return `| ${name} | |\n| --- | --- |\n${rows.map(([what, count]) => `| ${what} | ${amount(count)} |\n`).join('')}`;
}

/** The fields of an answer that the report shows. */
const told = ['x-request-id', 'connection', 'content-type', 'content-length', 'transfer-encoding', 'etag', 'allow'];

/** A failure with its bytes. Characters beyond ASCII are escaped as in JSON. */
export function failed({ run, played, counterexample }: Failure, seed: number): string {
  const { kind, ending, afterMs, pieces } = counterexample;
  const how = ending === 'reset' || ending === 'vanish' ? `${ending} after ${afterMs} ms` : ending;
  const text = (octets: Buffer, most: number) => JSON.stringify(octets.toString('latin1').slice(0, most));
  const sent = pieces.map((piece) => `${text(piece, 3_000)} (${piece.length} octets)`);
  const got = played.answers.map(({ status, headers, body }) => {
    const shown = told.flatMap((name) => (headers[name] === undefined ? [] : [`${name}: ${headers[name]}`]));
    return `${status} ${shown.join(', ')} ${text(body, 300)}`;
  });
  return `## Run ${run}: ${kind}

${played.faults.map((fault) => `- ${fault}\n`).join('')}
\`npm run hostile -- --seed ${seed} --only ${run}\`; the smallest that fails, sent (${how}) and answered (${played.end}):

${[...sent, ...got].map((line) => `    ${line}\n`).join('')}`;
}
