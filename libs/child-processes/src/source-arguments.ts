/** Node.js's arguments that run a TypeScript file of this repository from source. */
export function sourceArguments(file: string): string[] {
  return ['--import', 'tsx', '--conditions=@offload/source', file];
}
