// The states of a job, as a diagram and a table for docs/job-lifecycle.md.
import { row } from './text.mjs';

/** @param transitions those of libs/database */
export function statesSection(transitions) {
  const arrows = transitions.map(({ from, to, by, does }) => `  ${from ?? '[*]'} --> ${to ?? '[*]'}: ${by} ${does}`);
  const rows = transitions.map(({ from, to, by, does, when }) =>
    row(`${from ?? 'none'} → ${to ?? 'none'}`, `${by} ${does}`, when),
  );
  return `\`\`\`mermaid
stateDiagram-v2
${arrows.join('\n')}
\`\`\`

${row('transition', 'by', 'when')}
${row('---', '---', '---')}
${rows.join('\n')}`;
}
