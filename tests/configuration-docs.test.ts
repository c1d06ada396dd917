import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { demoVariables } from '../dev/seed/demo-variables.js';
import { databaseVariables } from '../ops/databases/urls.js';
import { readers } from '../ops/secrets/secret-files.js';
import { root } from '../ops/subgraph-names.js';
import { composeVariables } from './containers/compose-file.js';

type Row = readonly [name: string, ...defaults: string[]];

const page = readFileSync(join(root, 'docs/operations/configuration.md'), 'utf8');
/** heading → the variables of its tables: name and defaults */
const sections = new Map(
  page.split('\n## ').map((section) => {
    const [heading = '', ...lines] = section.split('\n');
    const rows = lines.filter((line) => /^\| `[A-Z_]+` \|/.test(line));
    return [heading, rows.map(readRow)] as const;
  }),
);

/** All cells except the last, which is the meaning. */
function readRow(line: string): Row {
  const cells = line.split('|').slice(1, -2);
  return cells.map((cell) => cell.trim().replaceAll('`', '')) as unknown as Row;
}
const rowsOf = (...headings: string[]) =>
  headings.flatMap((heading) => sections.get(heading) ?? []).sort();

describe('docs/operations/configuration.md', () => {
  it.each(Object.entries(readers))(
    'has the variables of %s with their defaults',
    (name, variables) => {
      const shared = name === 'router' ? ['All processes'] : ['All processes', 'All subgraphs'];
      const headings = {
        router: [...shared, 'Router'],
        'payment-sandbox': ['Payment sandbox'],
      }[name] ?? [...shared, name];
      const expected = Object.entries(variables).map(
        ([variable, { developmentDefault, productionDefault = '**required**' }]) => {
          return [variable, developmentDefault, productionDefault];
        },
      );
      expect(rowsOf(...headings)).toEqual(expected.sort());
    },
  );

  it('has the variables of the tools with their defaults', () => {
    const variables = { ...databaseVariables, ...demoVariables };
    const expected = Object.entries(variables).map(([name, { developmentDefault }]) => {
      return [name, developmentDefault];
    });
    expect(rowsOf('Tools')).toEqual(expected.sort());
  });

  it('has the variables of npm start that .env.example has', () => {
    const example = readFileSync(join(root, '.env.example'), 'utf8');
    const [, ofStart = ''] = example.split(/^# ── .*$/m);
    const named = [...ofStart.matchAll(/^# ([A-Z_]+)=/gm)].map(([, name]) => name);
    expect(rowsOf('npm start').map(([name]) => name)).toEqual(named.sort());
  });

  it('has the variables of docker-compose.yml with their defaults', () => {
    const listed = rowsOf('Compose').filter(([name]) => name !== 'COMPOSE_PROFILES');
    expect(listed).toEqual(Object.entries(composeVariables()).sort());
  });
});
