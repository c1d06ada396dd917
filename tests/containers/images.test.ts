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
/** What a stage copies of the repository, or of what the build stage made of it. */
const copied = (stage: string) =>
  [
    ...(stages.get(stage)?.matchAll(/^COPY (?:--from=build \/app\/)?(?!--)(.+) \S+$/gm) ?? []),
  ].flatMap(([, paths]) => (paths as string).split(' '));

describe('the images', () => {
  it('are built of what .dockerignore lets in', () => {
    const letIn = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const asked = [...stages.keys()]
      .flatMap((stage) => copied(stage as string))
      .filter((path) => !path.startsWith('dist/'))
      .map((path) => path.split('/')[0] as string);
    expect(letIn.toSorted()).toEqual([...new Set(asked)].sort());
  });

  it('of the router has GraphiQL where the router looks for it', () => {
    const looked = relative(root, bundledFolder);
    expect(copied('build')).toContain('web');
    expect(stages.get('build')).toContain('node web/build.mjs');
    expect(copied('router').filter((path) => looked.startsWith(`${path}/`))).toHaveLength(1);
  });

  it('of the user subgraph has the program that makes admins, and all that it loads at its start', () => {
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
