import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../../..');

/** @returns the variables that docker compose gives a service */
export function composeVariables(service: string): string[] {
  const blocks = readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8')
    .split(/\n\n/)
    .filter((block) => block.startsWith('x-environment:') || block.startsWith(`  ${service}:`));
  return blocks.join('\n').match(/(?<=^ +)[A-Z_]+(?=: )/gm) ?? [];
}
