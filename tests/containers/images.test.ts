import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { nodeOptions } from '../../dev/processes.js';
import { root } from '../../ops/subgraph-names.js';
import { bundledFolder } from '../../router/explorer/index.js';

const read = (path: string) => readFileSync(join(root, path), 'utf8');
const stages = new Map(
  read('docker/Dockerfile')
    .split(/^FROM /m)
    .slice(1)
    .map((stage) => [/ AS (\S+)/.exec(stage)?.[1], stage] as const),
);
/** The paths that a stage copies from the repository or from the build stage. */
const copied = (stage: string) =>
  [
    ...(stages.get(stage)?.matchAll(/^COPY (?:--from=build \/app\/)?(?!--)(.+) \S+$/gm) ?? []),
  ].flatMap(([, paths]) => (paths as string).split(' '));

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

  it('of the router has GraphiQL in the folder that the router serves', () => {
    const looked = relative(root, bundledFolder);
    expect(copied('build')).toContain('web');
    expect(stages.get('build')).toContain('node web/build.mjs');
    expect(copied('router').filter((path) => looked.startsWith(`${path}/`))).toHaveLength(1);
  });

  it('of the user subgraph has the admin program and all that it imports', () => {
    expect(copied('user')).toContain('dist/ops/admin.js');
    const loaded = [...read('ops/admin.ts').matchAll(/ from '\.\.\/([^']+)'/g)];
    const folders = new Set(loaded.map(([, path]) => `dist/${dirname(path as string)}`));
    const here = [...copied('runtime'), ...copied('user')];
    const missing = [...folders].filter(
      (folder) => !here.some((path) => `${folder}/`.startsWith(`${path}/`)),
    );
    expect(folders.size).toBeGreaterThan(0);
    expect(missing).toEqual([]);
  });

  it('start Node as npm start does', () => {
    expect(stages.get('service')).toContain(`ENV NODE_OPTIONS="${nodeOptions.join(' ')}"\n`);
  });
});
