// Runs before `npm start`, `npm test` and other scripts, with any Node from 18 and without dependencies.
// Installs the dependencies of the lock file if node_modules is missing or differs from it.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const read = (file) => JSON.parse(readFileSync(join(root, file), 'utf8'));

function isInstalled() {
  const installedLock = 'node_modules/.package-lock.json';
  if (!existsSync(join(root, installedLock))) return false;
  const wanted = read('package-lock.json').packages;
  const installed = read(installedLock).packages;
  return Object.entries(wanted).every(
    ([path, { version, optional }]) =>
      path === '' || (installed[path] ? installed[path].version === version : optional === true),
  );
}

if (!isInstalled()) {
  console.log('Installing the dependencies (npm ci) …');
  const npm = process.env.npm_execpath;
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  const { status } = npm
    ? spawnSync(process.execPath, [npm, ...args], { cwd: root, stdio: 'inherit' })
    : spawnSync('npm', args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) {
    console.error(
      'npm ci failed: the dependencies are not installed. Check the connection to the registry.',
    );
    process.exit(1);
  }
  // The incremental state of the compiler is not valid for other dependencies.
  rmSync(join(root, 'dist'), { recursive: true, force: true });
}
