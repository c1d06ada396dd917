import { resolve } from 'node:path';
import { readDatabaseHosts } from './database-hosts.js';
import { makeSecretFiles } from './secret-files.js';

/**
 * `node dist/ops/secrets/index.js FOLDER [HOST:PORT] [NAME=HOST:PORT …]`: creates the secrets of an
 * installation as files, for one PostgreSQL or one for each subgraph.
 */
const [folder, ...hosts] = process.argv.slice(2);
try {
  if (!folder) throw new Error('Usage: secrets FOLDER [HOST:PORT] [NAME=HOST:PORT …]');
  await makeSecretFiles(
    resolve(folder),
    readDatabaseHosts(hosts.length ? hosts : ['postgres:5432']),
  );
  console.log(`secrets written to ${folder}`);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
