// Sends an api of its own thousands of requests that no client should send, then crowds that do the same at once, and
// looks at every answer and at what is left:
//
//   npm run hostile -- [--runs 20000] [--seed N] [--only number of a run]
//
// Brings its own servers (TEST_SERVERS chooses the flavour of RabbitMQ), and takes those of TEST_DATABASE_URL,
// TEST_AMQP_URL and TEST_MANAGEMENT_URL where they are set. Exits with 1 when anything is not as it should be.
import { withTestServers } from '@offload/running-system';
import { parseOptions } from './options.ts';
import { summary } from './report.ts';
import { besiege } from './siege.ts';

const options = parseOptions(process.argv.slice(2));
const say = (line: string): void => void process.stderr.write(`${line}\n`);
say(`${options.runs} runs, seed ${options.seed}`);
const siege = await withTestServers(() => besiege(options, say));
process.stdout.write(summary(siege, options));
process.exitCode = siege.campaign.failures.length + siege.aftermath.faults.length + siege.excesses.length === 0 ? 0 : 1;
