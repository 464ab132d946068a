/** A chart of horizontal bars. */
export interface Chart {
  title: string;
  bars: { label: string; value: number; own: boolean }[];
}

const WIDTH = 760;
const LABELS = 230;
const VALUES = 70;
const LINE = 26;
const BAR = 16;
const HEAD = 34;

// Background and theme of the page are unknown: transparent, in colours that are readable on light and dark.
const style = `text{font:13px system-ui,sans-serif;fill:#6b7280}.title{font-weight:600}.own{fill:#2f81f7}.peer{fill:#8b949e}
@media(prefers-color-scheme:dark){text{fill:#b1bac4}}`;

/** Draws charts as SVG, one below the other, each with its own scale. */
export function drawBars(charts: readonly Chart[]): string {
  let top = 0;
  const parts = charts.map((chart) => {
    const drawn = drawChart(chart, top);
    top += HEAD + chart.bars.length * LINE;
    return drawn;
  });
  const summary = charts.map(({ title }) => title).join('; ');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top + 8}" role="img" aria-label="${escapeXml(summary)}">
<style>${style}</style>
${parts.join('\n')}
</svg>
`;
}

function drawChart({ title, bars }: Chart, top: number): string {
  const most = Math.max(...bars.map(({ value }) => value), Number.MIN_VALUE);
  const lines = bars.map(({ label, value, own }, index) => {
    const y = top + HEAD + index * LINE;
    const width = Math.max(1, Math.round((value / most) * (WIDTH - LABELS - VALUES)));
    const middle = y + BAR - 3;
    return [
      `<text x="${LABELS - 8}" y="${middle}" text-anchor="end">${escapeXml(label)}</text>`,
      `<rect x="${LABELS}" y="${y}" width="${width}" height="${BAR}" rx="2" class="${own ? 'own' : 'peer'}"/>`,
      `<text x="${LABELS + width + 6}" y="${middle}">${Math.round(value).toLocaleString('en')}</text>`,
    ].join('');
  });
  return [`<text x="0" y="${top + 20}" class="title">${escapeXml(title)}</text>`, ...lines].join('\n');
}

/** Escapes text for XML, also for attributes in double quotes. */
export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
