/** The arguments with which Node.js runs a TypeScript file of this repository from source. */
export function sourceArguments(file: string): string[] {
  return ['--import', 'tsx', '--conditions=@offload/source', file];
}
