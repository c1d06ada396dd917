// Bundles the pages that the router serves into dist/web, unless that is up to date: `npm start` and
// `npm test` run it each time. The file `stamp` has a hash of all inputs.
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const source = join(here, 'graphiql');
const target = join(here, '../dist/web');
const folder = join(target, 'graphiql');
const stampFile = join(target, 'stamp');

function stampNow() {
  const inputs = [
    fileURLToPath(import.meta.url),
    join(here, '../package-lock.json'),
    ...readdirSync(source)
      .toSorted()
      .map((file) => join(source, file)),
  ];
  const hash = createHash('sha256');
  for (const file of inputs) hash.update(basename(file)).update(readFileSync(file));
  return hash.digest('hex');
}

const common = {
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  outdir: folder,
  metafile: true,
  absWorkingDir: here,
  entryNames: '[name]-[hash]',
  assetNames: '[name]-[hash]',
  publicPath: '/graphiql',
  loader: { '.ttf': 'file' },
  legalComments: 'linked',
  logLevel: 'warning',
};
const addressOf = (file) => `/graphiql/${basename(file)}`;

const monaco = 'monaco-editor/esm/vs';
const workers = {
  editor: `${monaco}/editor/editor.worker.js`,
  graphql: 'monaco-graphql/esm/graphql.worker.js',
  json: `${monaco}/language/json/json.worker.js`,
};

/** The bundle of the only entry point, and its styles. */
function entryOf({ metafile: { outputs } }) {
  const [[script, { cssBundle }]] = Object.entries(outputs).filter(([, each]) => each.entryPoint);
  return { script: addressOf(script), style: cssBundle && addressOf(cssBundle) };
}

async function buildWorker([name, entry]) {
  const built = await build({ ...common, entryPoints: { [`${name}.worker`]: entry } });
  return [name, entryOf(built).script];
}

async function buildGraphiQL() {
  const built = await Promise.all(Object.entries(workers).map(buildWorker));
  // No splitting: it would only split off Monaco's styles and languages, which are always loaded.
  const page = await build({
    ...common,
    entryPoints: { graphiql: join(source, 'index.ts') },
    define: {
      workerFiles: JSON.stringify(Object.fromEntries(built)),
      'process.env.NODE_ENV': '"production"',
    },
  });
  const { script, style } = entryOf(page);
  const html = readFileSync(join(source, 'index.html'), 'utf8');
  return html.replace('%script%', script).replace('%style%', style);
}

/** The router looks for files again once the page has changed, so that is written last. */
function writePage(page) {
  const file = join(folder, 'index.html');
  replaceFile(`${file}.gz`, gzipSync(page));
  replaceFile(file, page);
}

/** Writes a file at once: nobody reads half of it. */
function replaceFile(path, content) {
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
}

function compressAll() {
  for (const file of readdirSync(folder)) {
    if (file.endsWith('.gz') || file === 'index.html') continue;
    const path = join(folder, file);
    replaceFile(`${path}.gz`, gzipSync(readFileSync(path)));
  }
}

const stamp = stampNow();
if (!existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== stamp) {
  console.log('Bundling GraphiQL …');
  // Earlier files stay: a page that is open may still load them.
  mkdirSync(folder, { recursive: true });
  const page = await buildGraphiQL();
  compressAll();
  writePage(page);
  writeFileSync(stampFile, stamp);
}
