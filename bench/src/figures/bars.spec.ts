import { expect, it } from '@jest/globals';
import { drawBars, escapeXml } from './bars.ts';

it('escapes the special characters of XML', () => {
  expect(escapeXml('a < b & "c" > d')).toBe('a &lt; b &amp; &quot;c&quot; &gt; d');
});

it('draws a bar for each value, and marks that of Offload', () => {
  const bars = [
    { label: 'A & B', value: 1_000, own: true },
    { label: 'C', value: 500, own: false },
  ];
  const svg = drawBars([{ title: 'Rates', bars }]);
  const widths = [...svg.matchAll(/<rect [^>]*width="(\d+)"[^>]*class="(\w+)"/g)].map(([, width, name]) => [
    name,
    Number(width),
  ]);
  expect(widths).toEqual([
    ['own', expect.any(Number)],
    ['peer', (widths[0]?.[1] as number) / 2],
  ]);
  expect(svg).toContain('A &amp; B');
  expect(svg).toContain('1,000');
});

it('draws an empty chart', () => {
  expect(drawBars([{ title: 'Nothing', bars: [] }])).toContain('Nothing');
});
