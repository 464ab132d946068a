import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../../..');

/** The variables in `.env.example`, set or commented out, and those that docker compose sets for a service. */
export function documentedVariables(service: string): { example: string[]; compose: string[] } {
  const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
  const blocks = read('docker-compose.yml')
    .split(/\n\n/)
    .filter((block) => block.startsWith('x-environment:') || block.startsWith(`  ${service}:`));
  return {
    example: read('.env.example').match(/(?<=^#?)[A-Z_]+(?==)/gm) ?? [],
    compose: blocks.join('\n').match(/(?<=^ +)[A-Z_]+(?=: )/gm) ?? [],
  };
}
