// The system of the compose test as users and operators see it: over HTTP, by RabbitMQ's commands and by the doctor.
import { eventually, truly } from './assertions.mjs';

/** @param project the result of `openProject` */
export function reach(project) {
  const { compose, docker, containers, inside } = project;

  /** Runs `rabbitmqctl`. @returns its output */
  function rabbitmqctl(...args) {
    return inside('rabbitmq', 'gosu', 'rabbitmq', 'rabbitmqctl', '-q', ...args);
  }

  /** Runs the doctor. @returns its output; rejects with it when the exit code is not 0 */
  function doctor(...args) {
    return compose('run', '--rm', '--no-TTY', 'doctor', ...args);
  }

  /** Sends a request to RabbitMQ's management API. */
  function management(path, user, password, request = {}) {
    const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
    return fetch(`http://127.0.0.1:${project.managementPort}${path}`, { ...request, headers: { authorization } });
  }

  async function submit(type, payload, options = {}) {
    const started = performance.now();
    const response = await fetch(`http://127.0.0.1:${project.apiPort}/v1/jobs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ type, payload, ...options }),
    });
    const job = await response.json();
    return { status: response.status, job, ms: Math.round(performance.now() - started) };
  }

  async function show(id) {
    return (await fetch(`http://127.0.0.1:${project.apiPort}/v1/jobs/${id}`)).json();
  }

  async function finished(id, status) {
    const job = await eventually(`job ${id} finished`, async () => {
      const current = await show(id);
      return current.finishedAt && current;
    });
    truly(job.status === status, `job ${id} is ${job.status}: ${JSON.stringify(job.error)}`);
    return job;
  }

  /**
   * Watches a job.
   * @returns each event but progress as `<name> <the job as JSON>`, until the notifier ends the stream
   */
  async function watch(port, id) {
    const url = `http://127.0.0.1:${port}/v1/jobs/${id}/events`;
    const text = await (await fetch(url, { signal: AbortSignal.timeout(30_000) })).text();
    return [...text.matchAll(/^event: (.*)\nid: .*\ndata: (.*)$/gm)]
      .filter(([, name]) => name !== 'job.progress')
      .map(([, name, job]) => `${name} ${job}`);
  }

  /** @returns the container of the worker that runs a job now, if any */
  async function workerWithAJob() {
    const workers = (await containers()).filter(({ service, running }) => service === 'worker' && running);
    const script =
      "fetch('http://127.0.0.1:3200/metrics').then(async (response) => console.log(await response.text()))";
    const metrics = await Promise.all(workers.map(({ name }) => docker('exec', name, 'node', '-e', script)));
    return workers.find((_, index) => /^offload_jobs_running 1$/m.test(metrics[index]));
  }

  return { rabbitmqctl, doctor, management, submit, show, finished, watch, workerWithAJob };
}
