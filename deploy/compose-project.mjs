// Runs docker-compose.yml as a project of its own for the compose test, with its own name, ports, volumes and images.
import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const MINUTE = 60_000;

/**
 * Prepares a project on free ports of 127.0.0.1, without starting it. Every function that runs Docker rejects with the
 * end of its output when it fails.
 *
 * @param notifiers number of notifiers, each of which gets a port
 * @param environment variables for compose beside the ports
 */
export async function openProject({ notifiers, environment }) {
  const name = `offload-test-${process.pid}`;
  const [apiPort, managementPort, ...notifierPorts] = await freePorts(2 + notifiers);
  const env = {
    ...process.env,
    ...environment,
    API_PORT: String(apiPort),
    RABBITMQ_MANAGEMENT_PORT: String(managementPort),
    NOTIFIER_PORTS: `${notifierPorts.at(0)}-${notifierPorts.at(-1)}`,
    NOTIFIER_URL: `http://127.0.0.1:${notifierPorts[0]}`,
  };

  const docker = (...args) => execute(args, env, MINUTE);
  // --env-file: a developer's own .env must not change the test.
  const global = ['--env-file', '/dev/null', '--project-name', name, '--ansi', 'never', '--progress', 'plain'];
  const compose = (...args) => execute(['compose', ...global, ...args], env, 10 * MINUTE);

  async function containers() {
    const ids = (await compose('ps', '--all', '--quiet')).split('\n').filter(Boolean);
    return JSON.parse(await docker('inspect', ...ids)).map(({ Name, Config, State, NetworkSettings }) => ({
      name: Name.slice(1),
      service: Config.Labels['com.docker.compose.service'],
      running: State.Running,
      exitCode: State.ExitCode,
      finishedAt: State.FinishedAt,
      ports: NetworkSettings.Ports,
    }));
  }

  return {
    apiPort,
    managementPort,
    notifierPorts,
    /** Sets variables for later calls of compose. */
    set: (variables) => void Object.assign(env, variables),
    docker,
    compose,
    containers,
    async up(...options) {
      await compose('up', '--wait', '--quiet-pull', ...options);
    },
    /** Runs a command in the first container of a service. */
    async inside(service, ...command) {
      const container = (await containers()).find((each) => each.service === service);
      return docker('exec', container.name, ...command);
    },
    logs: () => compose('logs', '--no-color', '--tail', '40'),
    /** Removes the project. @throws Error when a part of it is left */
    async takeDown() {
      await compose('--profile', 'tools', 'down', '--volumes', '--remove-orphans', '--rmi', 'local');
      const ours = ['--quiet', '--filter', `label=com.docker.compose.project=${name}`];
      for (const list of [
        ['ps', '--all'],
        ['volume', 'ls'],
        ['network', 'ls'],
        ['image', 'ls'],
      ]) {
        const left = await docker(...list, ...ours);
        if (left !== '') throw new Error(`docker ${list.join(' ')} still lists ${left}`);
      }
    },
  };
}

/** @returns standard output */
function execute(args, env, timeout) {
  return new Promise((resolve, reject) => {
    const child = execFile('docker', args, { cwd: root, env, timeout, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      if (!error) return resolve(stdout.trim());
      const output = `${stdout}${stderr}`.trim().split('\n').slice(-60).join('\n');
      const how = error.killed ? `took longer than ${timeout / MINUTE} minutes` : 'failed';
      reject(new Error(hideHosts(`docker ${args.join(' ')} ${how}:\n${output}`)));
    });
    child.stdin.end();
  });
}

/** Hides the hosts from which builds download. A log need not have them. */
function hideHosts(text) {
  return text.replaceAll(/(https?:\/\/)(?!127\.0\.0\.1|localhost)[^/\s"']+/g, '$1...');
}

/** @returns `count` free ports in a row */
async function freePorts(count) {
  const isFree = (port) =>
    new Promise((resolve) => {
      const server = createServer().once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
  for (let tries = 0; tries < 100; tries += 1) {
    const first = 20_000 + Math.floor(Math.random() * 10_000); // below the ports of outgoing connections
    const row = Array.from({ length: count }, (_, index) => first + index);
    if ((await Promise.all(row.map(isFree))).every(Boolean)) return row;
  }
  throw new Error('no free ports found');
}
