/** What happened, scene by scene: a heading `== title`, and `who | words` for each line. */
export interface Transcript {
  readonly lines: readonly string[];
  scene(title: string): void;
  line(who: string, words: string): void;
}

const WHO_WIDTH = 8;

export function createTranscript(): Transcript {
  const lines: string[] = [];
  return {
    lines,
    scene: (title) => void lines.push(...(lines.length > 0 ? [''] : []), headingOf(title)),
    line: (who, words) => void lines.push(`${who.padEnd(WHO_WIDTH)} | ${words}`.trimEnd()),
  };
}

/** A transcript without the scenes of these titles. */
export function withoutScenes(transcript: string, titles: readonly string[]): string[] {
  const headings = titles.map(headingOf);
  const scenes = transcript.trimEnd().split(/\n\n(?=== )/);
  const left = scenes.filter((scene) => !headings.includes(scene.split('\n', 1)[0] ?? ''));
  return left.length > 0 ? left.join('\n\n').split('\n') : [];
}

function headingOf(title: string): string {
  return `== ${title}`;
}
