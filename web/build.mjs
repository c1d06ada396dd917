// Bundles the pages that the router serves into dist/web, unless they are up to date: `npm start` and `npm test` run it
// each time. The file `stamp` has a hash of all inputs.
import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pictureSources } from './build/demo-pictures.mjs';
import { replaceFile } from './build/files.mjs';
import { buildGraphiQL } from './build/graphiql.mjs';
import { buildStore } from './build/store.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, '../dist/web');
const stampFile = join(target, 'stamp');

function stampNow() {
  const sources = globSync('**', { cwd: here }).filter((file) =>
    statSync(join(here, file)).isFile(),
  );
  const hash = createHash('sha256');
  for (const file of [...sources.toSorted(), ...pictureSources, '../package-lock.json']) {
    hash.update(file).update(readFileSync(join(here, file)));
  }
  return hash.digest('hex');
}

const stamp = stampNow();
if (!existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== stamp) {
  console.log('Bundling GraphiQL and the store …');
  // Earlier files stay: a page that is open may still load them.
  await buildGraphiQL(join(target, 'graphiql'));
  await buildStore(join(target, 'store'));
  replaceFile(stampFile, stamp);
}
