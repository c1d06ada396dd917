import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, subgraphNames } from '../../ops/subgraph-names.js';
import { checkOperations } from './check.js';

const operations = 1200;
const read = (file: string) => readFileSync(join(root, 'schema', file), 'utf8');

it('the executor, Apollo’s and a monolith answer alike over our supergraph', async () => {
  const sdls = Object.fromEntries(subgraphNames.map((name) => [name, read(`${name}.graphql`)]));
  const checked = await checkOperations(sdls, read('supergraph.graphql'), operations);
  expect(checked.different.slice(0, 2).join('\n\n')).toBe('');
  expect(checked.byApollo).toBeGreaterThan(operations / 8);
});
