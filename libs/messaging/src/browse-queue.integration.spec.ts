import { describe, expect, it } from '@jest/globals';
import { eventually, takeAll } from '@offload/spec-kit';
import { openProxy } from '@offload/spec-kit/servers';
import { browseQueue, type BrowseOptions } from './browse-queue.ts';
import { BrokerUnavailableError } from './errors.ts';
import { useVhost } from './spec-vhost.ts';

const vhost = useVhost();
const topology = { queues: { letters: { deliveryLimit: 1_000 } } } as const;
/** More than the 32 up to which Erlang keeps the entries of a map in order. */
const many = Array.from({ length: 60 }, (_, index) => String(index));

/** A connection behind a proxy, a queue with these messages, and somebody who looks. */
async function setup(letters: readonly string[]) {
  const way = vhost.closeAfterwards(await openProxy(vhost.url));
  const { connection, states } = vhost.connect({ url: way.url, topology });
  await connection.opened;
  const observer = await vhost.observer();
  for (const letter of letters) observer.sendToQueue('letters', Buffer.from(letter), { persistent: true });
  await observer.waitForConfirms();
  await waits(letters.length);

  async function waits(count: number): Promise<void> {
    await eventually(async () => expect((await observer.checkQueue('letters')).messageCount).toBe(count));
  }
  async function browse(verdict: (letter: string) => 'keep' | 'remove' = () => 'keep', more?: Partial<BrowseOptions>) {
    const seen: string[] = [];
    const visited = await browseQueue(connection, {
      queue: 'letters',
      visit({ content }) {
        seen.push(content.toString());
        return verdict(content.toString());
      },
      ...more,
    });
    return { seen, visited };
  }
  return { way, connection, states, observer, waits, browse };
}

describe('browseQueue', () => {
  it('shows everything, oldest first, and leaves it there in its order, however often', async () => {
    const { browse, waits, observer } = await setup(many);
    for (let look = 0; look < 3; look += 1) {
      expect(await browse()).toEqual({ seen: many, visited: many.length });
      await waits(many.length);
    }
    expect(await takeAll(observer, 'letters')).toEqual(many);
  });

  it('removes what it is told to, and nothing else', async () => {
    const { browse, waits, observer } = await setup(many);
    await browse((letter) => (letter === '7' || letter === '40' ? 'remove' : 'keep'));
    const others = many.filter((letter) => letter !== '7' && letter !== '40');
    await waits(others.length);
    expect((await browse()).seen).toEqual(others);
    await waits(others.length);
    expect(await takeAll(observer, 'letters')).toEqual(others);
  });

  it('stops at its limit, and does not go on to what arrives meanwhile', async () => {
    const { browse, waits, observer } = await setup(['a', 'b', 'c']);
    expect(await browse(() => 'keep', { limit: 2 })).toEqual({ seen: ['a', 'b'], visited: 2 });
    await waits(3);
    const anew = (letter: string): 'remove' => {
      observer.sendToQueue('letters', Buffer.from(`${letter} again`));
      return 'remove';
    };
    expect((await browse(anew)).seen).toEqual(['a', 'b', 'c']);
    await waits(3);
    expect(await takeAll(observer, 'letters')).toEqual(['a again', 'b again', 'c again']);
  });

  it('loses nothing when its channel dies in the middle, and says so', async () => {
    const { connection, waits, observer, way, states } = await setup(many);
    let visited = 0;
    const visit: BrowseOptions['visit'] = async () => {
      visited += 1;
      if (visited < 30) return 'keep';
      way.cut();
      await eventually(() => expect(states.map(([state]) => state)).toContain('connecting'));
      return 'remove';
    };
    await expect(browseQueue(connection, { queue: 'letters', visit })).rejects.toThrow(BrokerUnavailableError);
    expect(visited).toBe(30);
    await waits(many.length);
    expect(await takeAll(observer, 'letters')).toEqual(many);
  });

  it('gives everything back when a visit fails', async () => {
    const { browse, waits } = await setup(['a', 'b']);
    const fail = (): never => {
      throw new Error('no more');
    };
    await expect(browse(fail)).rejects.toThrow('no more');
    await waits(2);
  });

  it('sees nothing of what others look at', async () => {
    const { browse, observer, connection } = await setup(['a', 'b']);
    let meanwhile: Promise<unknown> | undefined;
    const visit: BrowseOptions['visit'] = async () => {
      meanwhile ??= browse();
      return meanwhile.then(() => 'keep');
    };
    expect(await browseQueue(connection, { queue: 'letters', visit })).toBe(2);
    expect(await meanwhile).toEqual({ seen: [], visited: 0 });
    await observer.deleteQueue('letters');
  });

  it('tells that a queue is not there', async () => {
    const { browse } = await setup([]);
    expect(await browse()).toEqual({ seen: [], visited: 0 });
    expect((await browse(undefined, { queue: 'nowhere' })).visited).toBeNull();
  });

  it('refuses when the connection is closed', async () => {
    const { connection, browse } = await setup([]);
    await connection.close();
    await expect(browse()).rejects.toThrow(BrokerUnavailableError);
  });
});
