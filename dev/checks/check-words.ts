import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../../ops/subgraph-names.js';

/** Unclear words, each with what to write instead. */
const words: readonly (readonly [RegExp, string])[] = [
  [/\btold\b/i, 'name the thing: reported, notified, answered, returned'],
  [/\btells\b/i, 'says, reports, shows, notifies'],
  [/\btell of\b/i, 'report, describe'],
  [/\banew\b/i, 'again'],
  [/\bafresh\b/i, 'again, uncached'],
  [/\bin vain\b/i, 'without success'],
  [/\bmend(s|ed|ing)?\b/i, 'fix, repair'],
  [/\bdear(er|est)\b/i, 'more expensive, highest price'],
  [/\bone[’']s own\b/i, 'your own, the caller’s'],
  [/\bas may be\b/i, 'as the case requires, or nothing'],
];

/** Files that may contain listed words, each with the reason. */
const allowed: readonly { readonly path: RegExp; readonly why: string }[] = [
  { path: /^dev\/checks\/check-words(\.test)?\.ts$/, why: 'lists the words' },
  { path: /^CONTRIBUTING\.md$/, why: 'documents the list' },
];

const checkedFiles = [
  '{subgraphs,router,ops,dev,bench,tests,web}/**/*.{ts,mjs,graphql,html}',
  'schema/*.graphql',
  'docs/**/*.md',
  'docker/**/*.{yml,yaml,sh}',
  '*.{md,yml,js}',
  '.env.example',
];

export interface WordFinding {
  readonly path: string;
  /** counted from 1 */
  readonly line: number;
  readonly word: string;
  readonly instead: string;
}

/**
 * Finds listed words in a source file (API descriptions, messages, log lines, names and comments) or, except
 * in code blocks, in a Markdown page.
 */
export function findWords(path: string, text: string): WordFinding[] {
  if (allowed.some((each) => each.path.test(path))) return [];
  let isCode = false;
  return text.split('\n').flatMap((content, at) => {
    if (path.endsWith('.md')) {
      if (content.trimStart().startsWith('```')) isCode = !isCode;
      if (isCode) return [];
    }
    return words.flatMap(([pattern, instead]) => {
      const word = pattern.exec(content)?.[0];
      return word ? [{ path, line: at + 1, word, instead }] : [];
    });
  });
}

/** Part of `npm run check`: no file of the project contains a listed word. */
function main(): void {
  const paths = globSync(checkedFiles, {
    cwd: root,
    exclude: (path) => path.includes('node_modules'),
  });
  const findings = paths.sort().flatMap((path) => {
    return findWords(path, readFileSync(join(root, path), 'utf8'));
  });
  for (const { path, line, word, instead } of findings) {
    console.error(`${path}:${line}: “${word}” (write: ${instead})`);
  }
  if (findings.length > 0) process.exitCode = 1;
  else console.log(`${paths.length} files without the words that CONTRIBUTING.md lists`);
}

if (process.argv[1] && pathToFileURL(process.argv[1]).href === import.meta.url) main();
