import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../../ops/subgraph-names.js';

const link = /\[[^\]]*\]\(([^)\s]+)\)/g;
const codePath = /`((?:subgraphs|router|ops|dev|tests|bench|schema|docker)\/[\w./-]*\.\w+)`/g;
/** `tests/NAME.test.ts` stands for any of them. */
const placeholder = /NAME|YYYYMMDD/;
const heading = /^#{1,6} (.+)$/gm;

/** The anchor that GitHub gives a heading. */
const anchorOf = (text: string): string =>
  text
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');

/** Programs are cited by their compiled path. */
const sourceOf = (file: string): string => file.replace(/\.js$/, '.ts');

const withoutCode = (page: string): string => page.replace(/^\s*```[\s\S]*?^\s*```/gm, '');

export interface Page {
  /** relative to the root of the project */
  readonly path: string;
  readonly text: string;
}

/**
 * Finds broken links and paths of missing files in the documentation.
 *
 * @param exists whether the project has a file or folder
 * @returns one message for each
 */
export function findBrokenLinks(
  pages: readonly Page[],
  exists: (path: string) => boolean,
): string[] {
  const anchors = new Map(
    pages.map(({ path, text }) => {
      const headings = [...withoutCode(text).matchAll(heading)];
      return [path, new Set(headings.map(([, title]) => anchorOf(title as string)))];
    }),
  );
  return pages.flatMap(({ path, text }) => {
    const prose = withoutCode(text);
    const links = [...prose.matchAll(link)].flatMap(([, target = '']) => {
      if (/^[a-z]+:/.test(target)) return [];
      const [file = '', anchor] = target.split('#');
      const to = file ? normalize(join(dirname(path), file)) : path;
      if (!exists(to)) return [`${path}: broken link ${target}`];
      const hasAnchor = anchor === undefined || !to.endsWith('.md') || anchors.get(to)?.has(anchor);
      return hasAnchor ? [] : [`${path}: ${to} has no heading #${anchor}`];
    });
    const paths = [...prose.matchAll(codePath)].flatMap(([, file = '']) =>
      exists(sourceOf(file)) || placeholder.test(file) ? [] : [`${path}: missing file ${file}`],
    );
    return [...links, ...paths];
  });
}

const lineMax = 120;
const readmeLinesMax = 150;

/** Finds lines that are too long, and a README that is. Tables and code have lines of any length. */
export function findLongTexts(pages: readonly Page[]): string[] {
  return pages.flatMap(({ path, text }) => {
    const lines = text.trimEnd().split('\n');
    const isReadme = path === 'README.md';
    const prose = isReadme ? lines : withoutCode(text).split('\n');
    const long = prose
      .filter((line) => line.length > lineMax && (isReadme || !line.startsWith('|')))
      .map((line) => `${path}: more than ${lineMax} characters: ${line.slice(0, 60)}…`);
    const isLong = isReadme && lines.length > readmeLinesMax;
    return isLong ? [...long, `${path}: more than ${readmeLinesMax} lines`] : long;
  });
}

/** Part of `npm run check`: the documentation has no broken links or paths, and no long lines. */
function main(): void {
  const paths = globSync(['*.md', 'docs/**/*.md'], { cwd: root }).sort();
  const pages = paths.map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
  const broken = findBrokenLinks(pages, (path) => existsSync(join(root, path)));
  const problems = [...broken, ...findLongTexts(pages)];
  for (const message of problems) console.error(message);
  if (problems.length > 0) process.exitCode = 1;
  else console.log(`${pages.length} pages without broken links, paths or long lines`);
}

if (process.argv[1] && pathToFileURL(process.argv[1]).href === import.meta.url) main();
