import assert from 'node:assert/strict';
import { rowsOf, type Row } from '../row.ts';
import { sleep, type Scene } from '../scene.ts';
import { jsonOf } from '../answer.ts';

interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance: string;
  errors?: { pointer: string; detail: string }[];
}

/** RFC 3986: the characters of a reference. */
const REFERENCE = /^(?:[\w.~!$&'()*+,;=:@/?[\]-]|%[\dA-F]{2})*$/i;

/** Problems of all kinds that a client can cause. */
async function problems({ ask, job, connect }: Scene): Promise<Problem[]> {
  const [done, scheduled] = [await job('succeeded'), await job('scheduled')];
  const post = (path: string, body?: unknown) => ask({ method: 'POST', path, body });
  const octets = (text: string, headers: Record<string, string>) =>
    ask({ path: '/v1/jobs', octets: text, headers: { 'content-type': 'application/json', ...headers } });
  const wire = await connect();
  wire.send('nonsense\r\n\r\n');
  const cut = await connect();
  cut.send('POST /v1/jobs HTTP/1.1\r\nHost: api\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{');
  cut.finish();
  const answers = [
    await ask({ path: '/nowhere' }),
    await ask({ path: '/v1/jobs/seven' }),
    await post('/v1/jobs', {}),
    await octets('{', {}),
    await octets('{}', { 'content-type': 'text/plain' }),
    await octets('{}', { 'content-encoding': 'compress' }),
    await ask({ path: '/v1/jobs/01900000-0000-7000-8000-000000000000' }),
    await post(`/v1/jobs/${done.id}/cancel`),
    await post(`/v1/jobs/${done.id}/retry`),
    await ask({ method: 'DELETE', path: `/v1/jobs/${scheduled.id}` }),
    await ask({ method: 'PUT', path: '/v1/jobs' }),
    await ask({ path: '/v1/jobs/%zz' }),
    await ask({ path: '/v1/jobs', at: 'guarded' }),
    await wire.next(),
    await cut.next(),
  ];
  for (const { headers, status } of answers) {
    assert.match(String(headers['content-type']), /^application\/problem\+json(;|$)/);
    assert.ok(status >= 400, `answered ${status}`);
  }
  return answers.map((answer) => jsonOf<Problem>(answer));
}

const details: Row[] = rowsOf('RFC 9457', [
  {
    section: '3',
    rule: 'Every error is `application/problem+json`',
    asked: '15 requests with different faults',
    answered: '4xx application/problem+json',
    run: async (scene) => void (await problems(scene)),
  },
  {
    section: '3.1',
    rule: 'type, title, status, detail and instance are there, each of its kind',
    asked: '15 requests with different faults',
    answered: 'the five members',
    async run(scene) {
      for (const { type, title, status, detail, instance } of await problems(scene)) {
        for (const text of [type, title, detail, instance]) assert.equal(typeof text, 'string');
        assert.ok(title !== '' && detail !== '' && Number.isInteger(status), `${title}, ${detail}, ${status}`);
      }
    },
  },
  {
    section: '3.1.1',
    rule: 'type is a reference with a full path; its resource explains the problem',
    asked: 'GET of each type in /openapi.json',
    answered: '200, the status and what it means',
    async run({ get }) {
      const document = JSON.stringify(await get<object>({ path: '/openapi.json' }));
      const types = new Set([...document.matchAll(/"(\/problems\/[a-z-]+)"/g)].map(([, type]) => String(type)));
      assert.ok(types.size > 20, `${types.size} types`);
      for (const path of types) {
        const { type, status, meaning } = await get<{ type: string; status: number; meaning: string }>({ path });
        assert.equal(type, path);
        assert.ok(status >= 400 && meaning !== '', `${path}: ${status} ${meaning}`);
      }
    },
  },
  {
    section: '3.1.2',
    rule: 'status is that of the answer',
    request: { path: '/nowhere' },
    expect: { status: 404, body: { status: 404 } },
  },
  {
    section: '3.1.3',
    rule: 'title does not change from occurrence to occurrence of a type',
    asked: '15 requests with different faults',
    answered: 'one title for each type',
    async run(scene) {
      const titles = new Map<string, Set<string>>();
      for (const { type, title } of await problems(scene)) titles.set(type, (titles.get(type) ?? new Set()).add(title));
      const several = [...titles].filter(([, all]) => all.size > 1).map(([type, all]) => [type, ...all]);
      assert.deepEqual(several, []);
    },
  },
  {
    section: '3.1.4',
    rule: 'detail is about this occurrence, and helps to correct it',
    request: { path: '/v1/jobs', body: { ...sleep, type: 'demo.slep' } },
    expect: { status: 400, problem: 'invalid-request', body: { detail: /^\/type: .*demo\.sleep/ } },
  },
  {
    section: '3.1.5',
    rule: 'instance is the target of the request',
    request: { path: '/v1/jobs?limit=0&tag=%C3%A4' },
    expect: { status: 400, body: { instance: '/v1/jobs?limit=0&tag=%C3%A4' } },
  },
  {
    section: '3.1.5',
    rule: 'instance is a URI reference, even if the target of the request is none',
    asked: 'GET /nowhere/{x}|"^',
    answered: '4xx, instance with these encoded',
    async run({ ask }) {
      const { instance } = jsonOf<Problem>(await ask({ path: '/nowhere/{x}|"^' }));
      assert.match(instance, REFERENCE);
    },
  },
  {
    section: '3.2',
    rule: 'Names of further members begin with a letter and are words',
    asked: '15 requests with different faults',
    answered: 'three letters or more',
    async run(scene) {
      for (const problem of await problems(scene)) {
        for (const name of Object.keys(problem)) assert.match(name, /^[A-Za-z]\w{2,}$/);
      }
    },
  },
  {
    section: '5',
    rule: 'A problem does not reveal the implementation of the server',
    asked: '15 requests with different faults',
    answered: 'no stack, no path of a file, no SQL',
    async run(scene) {
      for (const problem of await problems(scene)) {
        assert.doesNotMatch(JSON.stringify(problem), /\.[jt]s\b|node_modules|\bat [\w.]+ \(|\bselect\b.*\bfrom\b/i);
      }
    },
  },
]);

/** RFC 6901 section 4. */
function resolve(pointer: string, value: unknown): unknown {
  const steps = pointer.split('/').slice(1);
  return steps
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((at, step) => (at as Record<string, unknown>)[step], value);
}

const pointers: Row[] = rowsOf('RFC 6901', [
  {
    section: '3',
    rule: '`~` and `/` in a name are `~0` and `~1`',
    request: { path: '/v1/jobs', body: { type: 'demo.sleep', payload: { seconds: 0, 'a/b~1c': 1 } } },
    expect: { status: 400, body: { errors: [{ pointer: '/payload/a~1b~01c' }] } },
  },
  {
    section: '4',
    rule: 'A pointer leads to the wrong value, through names and indices',
    asked: 'POST /v1/jobs with three faults',
    answered: '400, pointers to the three values',
    async run({ get }) {
      const body = { ...sleep, tags: ['fine', ''], priority: 10, 'm~n/o': 'wrong' };
      const { errors = [] } = await get<Problem>({ path: '/v1/jobs', body }, 400);
      const pointed = errors.map(({ pointer }) => resolve(pointer, body));
      assert.deepEqual(new Set(pointed), new Set(['', 10, 'wrong']));
    },
  },
  {
    section: '5',
    rule: 'The empty pointer is the whole body',
    request: { path: '/v1/jobs', body: [sleep] },
    expect: { status: 400, body: { errors: [{ pointer: '' }] } },
  },
]);

/** Problem details, and how they point into a body. */
export const problemDetails = [...details, ...pointers];
