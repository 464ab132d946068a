// Sends thousands of hostile requests to an api of its own, then crowds of equal requests, and checks every answer and
// the state of the api:
//
//   npm run hostile -- [--runs 20000] [--seed N] [--only number of a run]
//
// It starts its own servers (TEST_SERVERS chooses the flavour of RabbitMQ), or uses those of TEST_DATABASE_URL,
// TEST_AMQP_URL and TEST_MANAGEMENT_URL. It exits with 1 when it finds a fault.
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
