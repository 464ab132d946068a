// The rules of docs/architecture.md about files: circles, doors, lengths, paths and the image. check-structure.mjs
// applies them.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { cruise } from 'dependency-cruiser';
import ts from 'typescript';

const MOST_NAMES = 30;
const MOST_VALUES = 15;
const MOST_LINES = 300;
const DOCKERFILE = 'deploy/Dockerfile';
const folders = ['apps', 'libs', 'bench', 'e2e', 'proof', 'examples', 'tools', 'deploy'];
/** They name sources, to edit, to judge or to describe them, and start none. */
const namesSources = [
  ...['accept', 'run', 'others'].map((name) => `optimisations/${name}`),
  ...['guards', 'without-guards', 'check-arrows', 'check-structure', 'check-tests', 'new-job', 'check-new-job'],
  ...['check-packages', 'package-tarballs', 'package-consumer', 'run-packages'],
  ...['documents/settings', 'documents/write'],
].map((name) => `tools/${name}.mjs`);

/** @returns each offence in the repository at `root`, as a line of text */
export async function structureFaults(root) {
  const packages = packagesOf(root);
  const doors = Object.values(packages).flat();
  const { modules, summary } = await dependenciesOf(root, doors);
  const sources = modules
    .map(({ source }) => source)
    .filter((file) => !file.startsWith('node_modules/') && /\.[mc]?[jt]s$/.test(file) && existsSync(join(root, file)))
    .map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') }));
  return [
    ...summary.violations.map(({ rule, from, to, cycle }) => {
      return `${from}: ${rule.name}: ${cycle?.map(({ name }) => name).join(' → ') ?? to}`;
    }),
    ...packageCircles(modules, packages),
    ...imageFaults(root, Object.keys(packages)),
    ...doors.flatMap((door) => doorFaults(door, readFileSync(join(root, door), 'utf8'))),
    ...sources.flatMap(({ file, text }) => lengthFaults(file, text)),
    ...sources
      .filter(({ file }) => !namesSources.includes(file))
      .flatMap(({ file, text }) => pathFaults(file, text, packages)),
  ];
}

/** @returns the folder of each package with its doors: the sources that its package.json exports */
function packagesOf(root) {
  const packageFolders = folders.flatMap((folder) =>
    ['apps', 'libs'].includes(folder) && existsSync(join(root, folder))
      ? readdirSync(join(root, folder)).map((name) => `${folder}/${name}`)
      : [folder],
  );
  const withManifest = packageFolders.filter((folder) => existsSync(join(root, folder, 'package.json')));
  return Object.fromEntries(
    withManifest.map((folder) => {
      const { exports = {} } = readManifest(root, folder);
      const exported = Object.values(exports).flatMap((target) => target['@offload/source'] ?? []);
      return [folder, exported.map((file) => join(folder, file))];
    }),
  );
}

const readManifest = (root, folder) => JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));

/** Reads every import, also those of types, and finds circles and imports past a door. */
async function dependenciesOf(root, doors) {
  const roots = folders.filter((folder) => existsSync(join(root, folder)));
  const within = '^((?:apps|libs)/[^/]+|[^/]+)/';
  const { output } = await cruise(
    roots,
    {
      baseDir: root,
      validate: true,
      tsPreCompilationDeps: true,
      doNotFollow: { path: 'node_modules' },
      exclude: { path: '(^|/)(dist|out-tsc|generated|coverage)/' },
      ruleSet: {
        forbidden: [
          { name: 'circle', severity: 'error', from: {}, to: { circular: true } },
          {
            name: 'import past a door',
            severity: 'error',
            from: { path: within },
            to: {
              path: '^(apps|libs|bench|e2e|proof|examples)/',
              pathNot: ['^$1/', `^(${doors.map((door) => door.replaceAll('.', '\\.')).join('|')})$`],
            },
          },
        ],
      },
    },
    { conditionNames: ['@offload/source', 'import', 'node', 'default'], exportsFields: ['exports'] },
  );
  return output;
}

/** Removes packages that import none of the rest, again and again. The others are in a circle, or import one. */
function packageCircles(modules, packages) {
  const imports = new Map(Object.keys(packages).map((folder) => [folder, new Set()]));
  for (const { source, dependencies } of modules) {
    const importer = ownerOf(source, packages);
    for (const { resolved } of dependencies) {
      const imported = ownerOf(resolved, packages);
      if (importer && imported && importer !== imported) imports.get(importer).add(imported);
    }
  }
  for (let before = Infinity; imports.size < before;) {
    before = imports.size;
    for (const [folder, imported] of imports) {
      if (![...imported].some((other) => imports.has(other))) imports.delete(folder);
    }
  }
  return imports.size > 0 ? [`packages in a circle: ${[...imports.keys()].join(', ')}`] : [];
}

const ownerOf = (file, packages) => Object.keys(packages).find((folder) => file.startsWith(`${folder}/`));

/**
 * Compares the image's manifests with its apps and all their dependencies. Without one of them a program does not
 * start.
 */
function imageFaults(root, folders) {
  if (!existsSync(join(root, DOCKERFILE))) return [];
  const copied = readFileSync(join(root, DOCKERFILE), 'utf8').matchAll(/^COPY ((?:apps|libs)\/\S+)\/package\.json /gm);
  const inImage = new Set([...copied].map(([, folder]) => folder));
  const manifests = new Map(folders.map((folder) => [folder, readManifest(root, folder)]));
  const needed = new Set([...inImage].filter((folder) => folder.startsWith('apps/')));
  for (const folder of needed) {
    for (const name of Object.keys(manifests.get(folder)?.dependencies ?? {})) {
      for (const [other, manifest] of manifests) if (manifest.name === name) needed.add(other);
    }
  }
  return [
    ...[...needed]
      .filter((folder) => !inImage.has(folder))
      .map((folder) => `${DOCKERFILE}: not in the image: ${folder}`),
    ...[...inImage].filter((folder) => !needed.has(folder)).map((folder) => `${DOCKERFILE}: not needed: ${folder}`),
  ];
}

function doorFaults(door, text) {
  const names = [];
  let values = 0;
  for (const statement of parse(door, text).statements) {
    const isExported = ts.canHaveModifiers(statement) && ts.getModifiers(statement)?.some(isExportKeyword);
    if (ts.isExportDeclaration(statement)) {
      if (!statement.exportClause) return [`${door}: a door exports by name, not *`];
      for (const { name, isTypeOnly } of statement.exportClause.elements) {
        names.push(name.text);
        if (!isTypeOnly && !statement.isTypeOnly) values += 1;
      }
    } else if (isExported) {
      const declared = (statement.declarationList?.declarations ?? [statement]).map(({ name }) => name.getText());
      names.push(...declared);
      if (!ts.isInterfaceDeclaration(statement) && !ts.isTypeAliasDeclaration(statement)) values += declared.length;
    }
  }
  return [
    ...(names.length > MOST_NAMES ? [`${door}: ${names.length} names, more than ${MOST_NAMES}`] : []),
    ...(values > MOST_VALUES ? [`${door}: ${values} values, more than ${MOST_VALUES}`] : []),
  ];
}

const isExportKeyword = ({ kind }) => kind === ts.SyntaxKind.ExportKeyword;

function lengthFaults(file, text) {
  const lines = text.trimEnd().split('\n').length;
  return lines > MOST_LINES ? [`${file}: ${lines} lines, more than ${MOST_LINES}`] : [];
}

/**
 * Finds paths to sources of another package, such as a program to start. The door of an app is its main.ts. A file in
 * dist counts as its source.
 */
function pathFaults(file, text, packages) {
  const faults = [];
  const owner = ownerOf(file, packages);
  function visit(node) {
    if (isImport(node)) return; // dependenciesOf checks imports
    const path = pathOf(node)?.replace(/^\*\//, ''); // an unknown folder counts as the root
    const from = path?.startsWith('..') ? dirname(file) : '';
    const named = path === undefined ? '' : normalize(join(from, path)).replace(/\/dist\/(.*)\.js$/, '/src/$1.ts');
    const target = /^((?:apps|libs)\/[^/]+|bench|e2e)\/(src|dist)(\/|$)/.exec(named)?.[1];
    const isDoor = /^apps\/[^/]+\/src\/main\.ts$/.test(named) || packages[target]?.includes(named);
    if (target && target !== owner && !isDoor) faults.push(`${file}: path past a door: ${named}`);
    else ts.forEachChild(node, visit);
  }
  visit(parse(file, text));
  return faults;
}

/** @returns the path in a text, or in a call that joins texts. `*` stands for parts that are known only at run time. */
function pathOf(node) {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isTemplateExpression(node)) {
    return node.head.text + node.templateSpans.map(({ literal }) => `*${literal.text}`).join('');
  }
  if (!ts.isCallExpression(node) || !/(^|\.)(join|resolve)$/.test(node.expression.getText())) return undefined;
  const parts = node.arguments.map((argument) => pathOf(argument) ?? '');
  return parts.filter((part) => part !== '').join('/');
}

const isImport = (node) =>
  ts.isImportDeclaration(node) ||
  ts.isExportDeclaration(node) ||
  (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword);

const parse = (file, text) => ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
