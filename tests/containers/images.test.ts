import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { nodeOptions } from '../../dev/processes.js';
import { developmentPrograms } from '../../dev/programs.js';
import { root } from '../../ops/subgraph-names.js';
import { bundledFolder as explorerFolder } from '../../router/explorer/index.js';
import { bundledFolder as storeFolder } from '../../router/store/build-folder.js';

const read = (path: string) => readFileSync(join(root, path), 'utf8');
const stages = new Map(
  read('docker/Dockerfile')
    .split(/^FROM /m)
    .slice(1)
    .map((stage) => [/ AS (\S+)/.exec(stage)?.[1], stage] as const),
);
/** The paths that a stage copies from the repository or from the build stage. */
const copied = (stage: string) =>
  [...(stages.get(stage)?.matchAll(/^COPY (?:--from=build )?(?!--)(.+) \S+$/gm) ?? [])].flatMap(
    ([, paths]) => (paths as string).split(' ').map((path) => path.replace('/app/', '')),
  );

/** A source file and all that it imports, directly or not. */
function importedBy(program: string): string[] {
  const files = [program];
  for (const file of files) {
    const loaded = read(file).matchAll(/(?<!import type [^;]*) from '(\.[^']+)\.js'/g);
    for (const [, path] of loaded) {
      const imported = `${join(dirname(file), path as string)}.ts`;
      if (!files.includes(imported)) files.push(imported);
    }
  }
  return files;
}

describe('the images', () => {
  it('copy only paths that .dockerignore includes', () => {
    const included = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const needed = [...stages.keys()]
      .flatMap((stage) => copied(stage as string))
      .filter((path) => !path.startsWith('dist/'))
      .map((path) => path.split('/')[0] as string);
    expect(included.toSorted()).toEqual([...new Set(needed)].sort());
  });

  it.each([
    ['GraphiQL', explorerFolder],
    ['the store', storeFolder],
  ])('of the router has %s in the folder that the router serves', (_, served) => {
    const looked = relative(root, served);
    expect(copied('build')).toContain('web');
    expect(stages.get('build')).toContain('node web/build.mjs');
    expect(copied('router').filter((path) => looked.startsWith(`${path}/`))).toHaveLength(1);
  });

  it.each([
    ['user', 'ops/admin.ts'],
    ['order', 'ops/reconcile/index.ts'],
    ['order', 'ops/migrate.ts'],
    ['payment-sandbox', 'dev/payment-sandbox/index.ts'],
    ['tools', 'dev/seed/index.ts'],
    ['tools', 'dev/seed/print-sessions.ts'],
    ['tools', 'ops/secrets/index.ts'],
    ['tools', 'ops/verify/index.ts'],
    ['tools', 'ops/rebuild/index.ts'],
    ['tools', 'ops/reconcile/index.ts'],
    ['tools', 'ops/admin.ts'],
  ])('of %s has %s and all that it imports', (stage, program) => {
    const here = [...copied('runtime'), ...copied(stage)];
    const needed = importedBy(program).map((file) => `dist/${file.replace(/\.ts$/, '.js')}`);
    const missing = needed.filter(
      (file) => !here.some((path) => file === path || file.startsWith(`${path}/`)),
    );
    expect(needed.length).toBeGreaterThan(3);
    expect(missing).toEqual([]);
  });

  it('have no program that shows one-time codes', () => {
    const images = [...stages.keys()].filter((stage) => stage !== 'build');
    expect(images).toEqual(expect.arrayContaining(['router', 'user', 'payment-sandbox', 'tools']));
    const program = `dist/${developmentPrograms.messages}`;
    const having = images.filter((stage) =>
      copied(stage as string).some((path) => path === program || program.startsWith(`${path}/`)),
    );
    expect(having).toEqual([]);
  });

  it('start Node as npm start does', () => {
    expect(stages.get('service')).toContain(`ENV NODE_OPTIONS="${nodeOptions.join(' ')}"\n`);
  });
});
