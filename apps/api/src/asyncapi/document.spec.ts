import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { exchanges } from '@offload/job-messages';
import { asyncApiChecker, cloudEventFaults } from '@offload/spec-kit/contracts';
import { channels, type ChannelName } from './channels.ts';
import { asyncApiDocument } from './document.ts';
import { messages } from './messages.ts';

const document = JSON.parse(JSON.stringify(asyncApiDocument())) as {
  channels: Record<string, { bindings?: { amqp: { exchange?: { name: string }; queue?: { name: string } } } }>;
  operations: Record<string, { channel: { $ref: string }; action: string; tags: { $ref: string }[] }>;
};
const checker = asyncApiChecker(document);

it('is kept in the repository as it is generated: npm run asyncapi', () => {
  const kept = readFileSync(new URL('../../asyncapi.json', import.meta.url), 'utf8');
  expect(document).toEqual(JSON.parse(kept));
});

it('fits the official schema of AsyncAPI 3.0.0, and hangs together', () => {
  expect(checker.documentFaults()).toEqual([]);
});

it('has every exchange, and uses every channel and message', () => {
  const named = Object.values(document.channels).map(({ bindings }) => bindings?.amqp.exchange?.name);
  expect(named.filter((name) => name !== undefined).sort()).toEqual(Object.values(exchanges).sort());
  const used = Object.values(document.operations).map(({ channel }) => channel.$ref.split('/').at(-1));
  const fedByAnother: ChannelName[] = ['eventsByName']; // no process publishes to it
  expect([...used, ...fedByAnother].sort()).toEqual(Object.keys(channels).sort());
  const mentioned = JSON.stringify(document.channels);
  for (const name of Object.keys(messages)) expect(mentioned).toContain(`"#/components/messages/${name}"`);
});

it('has examples that fit', () => {
  let seen = 0;
  for (const [name, message] of Object.entries(messages)) {
    const { examples } = message as { examples?: { headers: Record<string, unknown>; payload: unknown }[] };
    for (const { headers, payload } of examples ?? []) {
      seen += 1;
      expect(checker.messageFaults(name, { headers, payload })).toEqual([]);
      const events = name === 'event' ? (payload as unknown[]) : name === 'webhook' ? [payload] : [];
      for (const event of events) expect(cloudEventFaults(event)).toEqual([]);
    }
  }
  expect(seen).toBe(6);
});

it('lets each process send and receive what its user at the broker may, and nothing else', () => {
  type Permission = { user: string; write: string; read: string };
  const definitions = new URL('../../../../deploy/rabbitmq/definitions.json', import.meta.url);
  const { permissions } = JSON.parse(readFileSync(definitions, 'utf8')) as { permissions: Permission[] };
  for (const { user, write, read } of permissions.filter((each) => !['operator', 'doctor'].includes(each.user))) {
    const allowed = (action: string, name: string) => new RegExp(action === 'send' ? write : read).test(name);
    for (const { action, channel, tags } of Object.values(document.operations)) {
      const { bindings } = document.channels[channel.$ref.split('/').at(-1) as string] ?? {};
      const { exchange, queue } = bindings?.amqp ?? {};
      const name = (exchange ?? queue)?.name.replace('{queue}', 'default');
      if (!name) continue; // a webhook, or a queue of its own, which `amq.gen-` stands for
      const does = tags.some(({ $ref }) => $ref.endsWith(`/${user}`));
      if (does || action === 'send')
        expect([user, action, name, allowed(action, name)]).toEqual([user, action, name, does]);
    }
  }
});
