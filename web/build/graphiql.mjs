import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { bundleOptions, entryOf, replaceFile } from './files.mjs';

const source = join(dirname(fileURLToPath(import.meta.url)), '../graphiql');
const monaco = 'monaco-editor/esm/vs';
const workers = {
  editor: `${monaco}/editor/editor.worker.js`,
  graphql: 'monaco-graphql/esm/graphql.worker.js',
  json: `${monaco}/language/json/json.worker.js`,
};
const addressOf = (file) => `/graphiql/${file}`;

/** Bundles GraphiQL into a folder, each file with its `.gz` beside it. */
export async function buildGraphiQL(folder) {
  const options = {
    ...bundleOptions,
    outdir: folder,
    absWorkingDir: source,
    publicPath: '/graphiql',
    loader: { '.ttf': 'file' },
  };
  const built = await Promise.all(
    Object.entries(workers).map(async ([name, entry]) => {
      const worker = await build({ ...options, entryPoints: { [`${name}.worker`]: entry } });
      return [name, addressOf(entryOf(worker).script)];
    }),
  );
  // No splitting: it would only split off Monaco's styles and languages, which are always loaded.
  const page = await build({
    ...options,
    entryPoints: { graphiql: join(source, 'index.ts') },
    define: {
      workerFiles: JSON.stringify(Object.fromEntries(built)),
      'process.env.NODE_ENV': '"production"',
    },
  });
  compressAll(folder);
  const { script, style } = entryOf(page);
  const html = readFileSync(join(source, 'index.html'), 'utf8')
    .replace('%script%', addressOf(script))
    .replace('%style%', addressOf(style));
  // The router looks for files again once the page has changed, so that is written last.
  const file = join(folder, 'index.html');
  replaceFile(`${file}.gz`, gzipSync(html));
  replaceFile(file, html);
}

function compressAll(folder) {
  for (const file of readdirSync(folder)) {
    if (file.endsWith('.gz') || file === 'index.html') continue;
    const path = join(folder, file);
    replaceFile(`${path}.gz`, gzipSync(readFileSync(path)));
  }
}
