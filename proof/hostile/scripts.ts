import fc, { type Arbitrary } from 'fast-check';
import type { Document } from './document.ts';
import { framed } from './framing.ts';
import { oddFields } from './odd-fields.ts';
import { oddQueries, oddTargets } from './odd-targets.ts';
import { callsOf, oddBodies, oddMethods, repeats, type Sound } from './operations.ts';
import { farewell, type Message, type Script } from './script.ts';
import { submissionsFrom } from './submissions.ts';

/** Added to the last of several clear requests. */
const CLOSE = [['Connection', 'close']] as const;

/** All scripts, by what they test. */
export function scriptsFrom(document: Document): Arbitrary<Script> {
  const submissions = submissionsFrom(document);
  const calls = callsOf(document, submissions);
  const bodies = oddBodies(submissions);

  const alone = (kind: string, sound: Arbitrary<Sound>) =>
    sound.map((make) => script(kind, [make(0, CLOSE)], { sound: true }));
  const doubtful = (kind: string, odd: Arbitrary<(index: number) => Message>) =>
    odd.map((make) => script(kind, [make(0), farewell(1)]));
  const frames = framed(submissions).map(({ make, sound }) => script('framing', [make(0), farewell(1)], { sound }));

  const some = fc.array(fc.oneof({ arbitrary: calls, weight: 5 }, { arbitrary: repeats, weight: 1 }), {
    minLength: 2,
    maxLength: 8,
  });
  const pipelines = some.map((makers) =>
    script(
      'pipeline',
      makers.map((make, index) => make(index, index === makers.length - 1 ? CLOSE : [])),
      { sound: true },
    ),
  );
  const cuts = fc
    .tuple(
      fc.array(fc.tuple(fc.oneof(calls, repeats), fc.boolean()), { minLength: 1, maxLength: 3 }),
      fc.constantFrom('reset', 'vanish', 'half-close'),
      fc.nat(60),
      fc.double({ min: 0, max: 1.3, noNaN: true }), // whole, too
    )
    .map(([makers, ending, afterMs, share]) => {
      const waits = [['Prefer', 'wait=60']] as const; // the client does not wait for it
      const away = ending === 'half-close';
      const all = makers.map(([make, patient], index) => make(index, patient && !away ? waits : []));
      const octets = Buffer.concat(all.map((each) => each.octets));
      const pieces = [octets.subarray(0, Math.max(1, Math.floor(octets.length * Math.min(1, share))))];
      return { ...script('cut', all), pieces, ending, afterMs };
    });

  const any = fc.oneof(
    { arbitrary: alone('call', calls), weight: 30 },
    { arbitrary: alone('repeat', repeats), weight: 4 },
    { arbitrary: alone('charset', bodies.charset), weight: 5 },
    { arbitrary: alone('coding', bodies.coding), weight: 8 },
    { arbitrary: alone('large', bodies.large), weight: 1 },
    { arbitrary: alone('heavy', bodies.heavy), weight: 1 },
    { arbitrary: alone('method', oddMethods), weight: 2 },
    { arbitrary: doubtful('fields', oddFields(submissions)), weight: 22 },
    { arbitrary: doubtful('target', oddTargets(submissions)), weight: 9 },
    { arbitrary: doubtful('query', oddQueries), weight: 7 },
    { arbitrary: frames, weight: 9 },
    { arbitrary: pipelines, weight: 5 },
    { arbitrary: cuts, weight: 5 },
  );
  const places = fc.oneof(
    { arbitrary: fc.constant<number[]>([]), weight: 4 },
    { arbitrary: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 }), weight: 1 },
  );
  return fc
    .tuple(any, places)
    .map(([each, where]) => ({ ...each, pieces: each.pieces.flatMap((one) => split(one, where)) }));
}

function script(kind: string, messages: Message[], { sound = false } = {}): Script {
  return {
    ...{ kind, sound, ending: 'read', afterMs: 0 },
    asked: messages,
    pieces: [Buffer.concat(messages.map(({ octets }) => octets))],
  };
}

/** Splits the bytes into several pieces, mostly in the head, where it matters. */
function split(octets: Buffer, places: readonly number[]): Buffer[] {
  const cuts = places.map((place) => Math.floor(place * Math.min(octets.length, 800))).sort((a, b) => a - b);
  const edges = [0, ...cuts, octets.length];
  return edges.slice(1).flatMap((end, n) => {
    const piece = octets.subarray(edges[n], end);
    return piece.length > 0 ? [piece] : [];
  });
}
