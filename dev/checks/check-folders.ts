import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../../ops/subgraph-names.js';

/** An import between two source files, by their paths from the root of the project. */
interface Import {
  readonly from: string;
  readonly to: string;
}

const sharedParts = ['subgraphs/shared', 'subgraphs/contracts'];

/** What a part may import besides itself: other parts, or single files. Subgraphs may import `sharedParts`. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  'subgraphs/contracts': [],
  'subgraphs/shared': ['subgraphs/contracts'],
  router: sharedParts,
  ops: ['subgraphs', 'router', 'dev/payment-sandbox/config.ts'],
  dev: ['subgraphs', 'router', 'ops'],
  bench: ['subgraphs', 'router', 'ops', 'dev'],
  web: [],
};

/** `subgraphs/order`, `router`, … */
const partOf = (file: string) => /^(subgraphs\/[^/]+|[^/]+)/.exec(file)?.[0] as string;

/** A file that is directly in a part counts as a folder by itself. */
const folderOf = (file: string) => (dirname(file) === partOf(file) ? file : dirname(file));

const isSource = (file: string) => /\.tsx?$/.test(file);
const isTest = (file: string) => file.endsWith('.test.ts');

/**
 * Finds forbidden imports between the parts of the project, and import cycles between the folders of a
 * part. Imports of types count; those of tests do not. Returns one message for each.
 *
 * @param sources path from the root of the project → the text of the file
 */
export function folderProblems(sources: ReadonlyMap<string, string>): string[] {
  const imports = [...sources]
    .filter(([file]) => !isTest(file))
    .flatMap(([file, text]) => importsOf(file, text));
  const foreign = imports.filter(({ from, to }) => !isAllowed(partOf(from), to));
  const parts = Map.groupBy(
    imports.filter(({ from, to }) => partOf(from) === partOf(to)),
    ({ from }) => partOf(from),
  );
  return [
    ...foreign.map(({ from, to }) => `${partOf(from)} must not import ${to}: ${from} does`),
    ...[...parts].flatMap(([part, inPart]) => cyclesIn(part, inPart)),
  ];
}

const importPattern = /(?:\bfrom|\bimport)\s*\(?\s*['"`](\.[^'"`$]+)['"`]/g;

function importsOf(from: string, text: string): Import[] {
  const targets = [...text.matchAll(importPattern)].map(([, path]) =>
    normalize(join(dirname(from), path as string)).replace(/\.js(x?)$/, '.ts$1'),
  );
  return [...new Set(targets)].map((to) => ({ from, to }));
}

function isAllowed(part: string, to: string): boolean {
  const isIn = (allowed: string) => to === allowed || to.startsWith(`${allowed}/`);
  return [part, ...(mayImport[part] ?? sharedParts)].some(isIn);
}

/** One message for each group of folders that can reach each other, with the imports between them. */
function cyclesIn(part: string, imports: readonly Import[]): string[] {
  const between = imports.filter(({ from, to }) => folderOf(from) !== folderOf(to));
  const next = Map.groupBy(between, ({ from }) => folderOf(from));
  const reachable = (start: string) => {
    const found = new Set<string>();
    const open = [start];
    for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
      for (const { to } of next.get(folder) ?? []) {
        if (found.has(folderOf(to))) continue;
        found.add(folderOf(to));
        open.push(folderOf(to));
      }
    }
    return found;
  };
  const reach = new Map([...next.keys()].map((folder) => [folder, reachable(folder)]));
  const isMutual = (a: string, b: string) => reach.get(a)?.has(b) && reach.get(b)?.has(a);
  const inCycles = [...reach.keys()].filter((folder) => isMutual(folder, folder));
  const cycles = Map.groupBy(inCycles, (folder) =>
    inCycles.find((other) => isMutual(folder, other)),
  );
  return [...cycles.values()].map((cycle) => {
    const edges = between.filter(
      ({ from, to }) => cycle.includes(folderOf(from)) && cycle.includes(folderOf(to)),
    );
    const lines = edges.map(({ from, to }) => `  ${from} imports ${to}`);
    return [
      `folders of ${part} import each other in a cycle: ${cycle.join(', ')}`,
      ...lines.sort(),
    ].join('\n');
  });
}

function readSources(): Map<string, string> {
  const files = ['subgraphs', 'router', 'ops', 'dev', 'bench', 'web'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => isSource(file) && !file.includes('node_modules/'))
      .map((file) => `${folder}/${file}`),
  );
  return new Map(files.sort().map((file) => [file, readFileSync(join(root, file), 'utf8')]));
}

/** Part of `npm run check`: dependencies between parts and folders go one way. */
function main(): void {
  const problems = folderProblems(readSources());
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
  else console.log('no import cycles between folders, no forbidden imports between parts');
}

if (process.argv[1] && pathToFileURL(process.argv[1]).href === import.meta.url) main();
