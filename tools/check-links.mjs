// Checks every relative link and anchor in the Markdown files, and that each docs/….md that any other file names is there.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const root = join(import.meta.dirname, '..');
const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
});
const files = [...new Set(listed.trim().split('\n'))].filter((file) => existsSync(join(root, file)));
const read = (file) => readFileSync(join(root, file), 'utf8');

const faults = files.flatMap((file) => (file.endsWith('.md') ? faultsOfPage(file) : faultsOfNames(file)));
for (const fault of faults) process.stdout.write(`${fault}\n`);
process.stdout.write(`the links of ${files.length} files checked, ${faults.length} wrong\n`);
process.exitCode = faults.length > 0 ? 1 : 0;

function faultsOfPage(file) {
  const text = withoutCode(read(file));
  const links = [...text.matchAll(/\]\(<?([^)\s>]+)>?[^)]*\)|^\[[^\]]+\]: (\S+)/gm)].map(
    ([, inline, defined]) => inline ?? defined,
  );
  return links
    .filter((link) => !/^[a-z][a-z+.-]*:/i.test(link))
    .flatMap((link) => {
      const [path, anchor] = link.split('#');
      const target = path === '' ? file : normalize(join(dirname(file), decodeURI(path)));
      if (!existsSync(join(root, target))) return [`${file}: ${link}: there is no such file`];
      if (anchor === undefined || !target.endsWith('.md')) return [];
      return anchorsOf(target).has(anchor) ? [] : [`${file}: ${link}: ${target} has no such heading`];
    });
}

/** A comment or a message may name a page. */
function faultsOfNames(file) {
  if (!/\.(m?[jt]sx?|ya?ml|conf|sql|prisma|json)$|(^|\/)(Dockerfile|\.env\.example)$/.test(file)) return [];
  const names = [...read(file).matchAll(/\bdocs\/[\w/-]+\.md(?:#([\w-]+))?/g)];
  return names.flatMap(([name, anchor]) => {
    const [page] = name.split('#');
    if (!existsSync(join(root, page))) return [`${file}: ${page}: there is no such page`];
    return anchor === undefined || anchorsOf(page).has(anchor) ? [] : [`${file}: ${name}: there is no such heading`];
  });
}

/** @returns the anchors that GitHub gives to the headings of a page */
function anchorsOf(file) {
  const anchors = new Set();
  for (const [, heading] of withoutFences(read(file)).matchAll(/^#{1,6} +(.*?)#*$/gm)) {
    const words = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .trim()
      .toLowerCase();
    const anchor = words.replace(/[^\p{L}\p{N}\p{M}_ -]/gu, '').replaceAll(' ', '-');
    let unique = anchor;
    for (let n = 1; anchors.has(unique); n += 1) unique = `${anchor}-${n}`;
    anchors.add(unique);
  }
  return anchors;
}

function withoutFences(text) {
  return text.replace(/^( *)(`{3,}|~{3,})[^\n]*\n[\s\S]*?^ *\2[^\n]*$/gm, '');
}

function withoutCode(text) {
  return withoutFences(text).replace(/(`+)(?!`)[\s\S]*?[^`]\1(?!`)/g, '');
}
