import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';

/** Writes a file at once: nobody reads half of it. */
export function replaceFile(path, content) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
}

/** What all pages are built with. */
export const bundleOptions = {
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  metafile: true,
  entryNames: '[name]-[hash]',
  assetNames: '[name]-[hash]',
  legalComments: 'linked',
  logLevel: 'warning',
};

/** Names of the bundle of the only entry point, and of its styles. */
export function entryOf({ metafile: { outputs } }) {
  const [[script, { cssBundle }]] = Object.entries(outputs).filter(([, each]) => each.entryPoint);
  return { script: basename(script), style: cssBundle && basename(cssBundle) };
}
