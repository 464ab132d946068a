import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request as ask } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installPackage } from '@offload/child-processes';
import { eventually } from '@offload/spec-kit';
import compression from 'compression';
import express from 'express';

/** A proxy in front of an api and a notifier, on a port of 127.0.0.1. */
export interface WebProxy {
  /** Has no final slash. */
  readonly url: string;
  stop(): Promise<void>;
}

/** The servers behind a proxy. */
export interface Upstreams {
  api: string;
  notifier: string;
}

const isOfNotifier = /\/events$/;

/** Starts Express with `compression`, which compresses all answers, event streams too, if the client accepts it. */
export async function startExpressProxy({ api, notifier }: Upstreams): Promise<WebProxy> {
  const app = express().use(compression({ threshold: 0 }));
  app.use((request, response) => {
    const target = new URL(request.originalUrl, isOfNotifier.test(request.path) ? notifier : api);
    const asked = ask(target, { method: request.method, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    asked.on('error', () => response.destroy());
    response.once('close', () => asked.destroy());
    request.pipe(asked);
  });
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const PATH = `${process.env['PATH']}:/usr/sbin`;

function hasNginx(): boolean {
  return spawnSync('nginx', ['-v'], { env: { PATH } }).status === 0;
}

/** Installs nginx if it is missing. @throws Error with the reason when that fails */
export async function provideNginx(): Promise<void> {
  if (hasNginx()) return;
  const why = await installPackage('nginx', () => undefined);
  if (!hasNginx())
    throw new Error(`nginx is not installed, and ${why ?? 'apt-get has put it into a folder that is not searched'}`);
}

/** Starts nginx with a configuration of its own: it buffers by default, and compresses. */
export async function startNginx({ api, notifier }: Upstreams): Promise<WebProxy> {
  const folder = await mkdtemp(join(tmpdir(), 'offload-nginx-'));
  const port = await freePort();
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((of) => `${of}_temp_path ${folder}/${of};`);
  await writeFile(
    join(folder, 'nginx.conf'),
    `daemon off; master_process off; pid ${folder}/pid; error_log stderr;
    events {}
    http {
      access_log off; ${paths.join(' ')}
      gzip on; gzip_types text/event-stream application/json; gzip_proxied any;
      server {
        listen 127.0.0.1:${port};
        location / { proxy_pass ${api}; }
        location ~ /events$ { proxy_pass ${notifier}; }
      }
    }`,
  );
  const child = spawn('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'], {
    ...{ env: { PATH }, stdio: ['ignore', 'ignore', 'pipe'] },
  });
  let said = '';
  child.stderr.on('data', (chunk) => (said += String(chunk)));
  const exited = once(child, 'exit');
  await Promise.race([
    eventually(() => accepts(port)),
    exited.then(() => {
      throw new Error(`nginx has ended: ${said}`);
    }),
  ]);
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      child.kill('SIGKILL');
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function accepts(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect').finally(() => socket.destroy());
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
