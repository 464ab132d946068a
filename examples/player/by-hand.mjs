// `npm run example` preloads this, so that lessons contain only what they teach. It gives programs the AMQP_URL of the
// running `npm start`, unless it is set. It prints the error that stops a program in one line, without a stack.
import { serversOfStart } from '../../tools/servers-of-start.mjs';

const HINT = 'check AMQP_URL, or unset it and run `npm start` in another terminal';

function tell(line) {
  process.stderr.write(`${line.replaceAll(/\s*\n\s*/g, ' ')}\n`);
}

process.env.AMQP_URL ||= serversOfStart().AMQP_URL ?? '';
if (process.env.AMQP_URL === '') {
  tell('there is no broker: run `npm start` in another terminal first, or set AMQP_URL to one that runs elsewhere');
  process.exit(1);
}

// Such as "no connection to the broker: connect ECONNREFUSED". The program tries again by itself.
process.removeAllListeners('warning').on('warning', ({ message }) => {
  tell(/no connection to the broker/.test(message) ? `${message} (trying again; ${HINT})` : message);
});
process.on('uncaughtException', (error) => {
  const { code, message, stack } = error ?? {};
  const ofTheBroker = /^(broker|topology)-/.test(code) || /the URL of a broker/.test(message);
  if (ofTheBroker) tell(`${message} (${HINT})`);
  else if (typeof code === 'string' && !code.startsWith('ERR_'))
    tell(message); // the system's, as a port that is taken
  else process.stderr.write(`${stack ?? String(error)}\n`);
  process.exit(1);
});
