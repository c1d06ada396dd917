import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { writeDemoPictures } from './demo-pictures.mjs';
import { bundleOptions, entryOf, replaceFile } from './files.mjs';

const source = join(dirname(fileURLToPath(import.meta.url)), '../store');
const addressOf = (file) => `/assets/${file}`;

/** Bundles the storefront: `index.html`, and everything else below `assets`. The router compresses the files. */
export async function buildStore(folder) {
  const assets = join(folder, 'assets');
  const options = {
    ...bundleOptions,
    outdir: assets,
    absWorkingDir: source,
    publicPath: '/assets',
  };
  const page = await build({
    ...options,
    entryPoints: { store: join(source, 'main.tsx') },
    jsx: 'automatic',
    jsxImportSource: 'preact',
  });
  const icon = await build({
    ...options,
    entryPoints: { icon: join(source, 'icon.svg') },
    loader: { '.svg': 'copy' },
  });
  await writeDemoPictures(join(assets, 'pictures'));
  const [iconFile] = Object.keys(icon.metafile.outputs);
  const { script, style } = entryOf(page);
  const html = readFileSync(join(source, 'index.html'), 'utf8')
    .replace('%script%', addressOf(script))
    .replace('%style%', addressOf(style))
    .replace('%icon%', addressOf(basename(iconFile)));
  // The router reads the files again once the page has changed, so that is written last.
  replaceFile(join(folder, 'index.html'), html);
}
