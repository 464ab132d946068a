/** The events of a play: a heading `== title` for each scene, and `who | words` for each line. Ids become `<id>`. */
export interface Transcript {
  readonly lines: readonly string[];
  scene(title: string): void;
  line(who: string, words: string): void;
}

const WHO_WIDTH = 8;
const ID = /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g; // ids of jobs are new in each run

/** Makes an empty transcript. */
export function createTranscript(): Transcript {
  const lines: string[] = [];
  return {
    lines,
    scene: (title) => void lines.push(...(lines.length > 0 ? [''] : []), headingOf(title)),
    line: (who, words) => void lines.push(`${who.padEnd(WHO_WIDTH)} | ${words.replace(ID, '<id>')}`.trimEnd()),
  };
}

/** The lines of a transcript without the scenes of these titles. */
export function withoutScenes(transcript: string, titles: readonly string[]): string[] {
  const headings = titles.map(headingOf);
  const scenes = transcript.trimEnd().split(/\n\n(?=== )/);
  const left = scenes.filter((scene) => !headings.includes(scene.split('\n', 1)[0] ?? ''));
  return left.length > 0 ? left.join('\n\n').split('\n') : [];
}

function headingOf(title: string): string {
  return `== ${title}`;
}
