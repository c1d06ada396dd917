import { resolve } from 'node:path';
import { makeSecretFiles } from './secret-files.js';

/** `node dist/dev/secrets/index.js FOLDER [HOST:PORT]`: the secrets of an installation, as files. */
const [folder, databaseHost = 'postgres:5432'] = process.argv.slice(2);
if (!folder) {
  console.error('secrets FOLDER [HOST:PORT of PostgreSQL]');
  process.exitCode = 1;
} else {
  await makeSecretFiles(resolve(folder), databaseHost);
  console.log(`the secrets are in ${folder}`);
}
