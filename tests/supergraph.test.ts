import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ConstDirectiveNode, type DocumentNode, Kind, parse, visit } from 'graphql';
import { root } from '../ops/subgraph-names.js';

const supergraph = parse(readFileSync(join(root, 'schema/supergraph.graphql'), 'utf8'));

function directivesIn(document: DocumentNode): ConstDirectiveNode[] {
  const found: ConstDirectiveNode[] = [];
  visit(document, { Directive: (node) => void found.push(node as ConstDirectiveNode) });
  return found;
}

describe('the supergraph, which any Federation 2 router can run,', () => {
  const used = directivesIn(supergraph);

  it('uses composition features only, none that needs a licence or the router of one vendor', () => {
    const links = used
      .filter(({ name }) => name.value === 'link')
      .flatMap(({ arguments: given = [] }) => given)
      .filter(({ name }) => name.value === 'url')
      .map(({ value }) => (value.kind === Kind.STRING ? value.value : ''));
    const specs = links.map((url) => url.split('/').slice(-2)[0]).toSorted();
    expect(specs).toEqual(['inaccessible', 'join', 'link']);
    const names = new Set(used.map(({ name }) => name.value.split('__')[0] as string));
    names.delete('deprecated'); // GraphQL's own
    expect([...names].toSorted()).toEqual(['inaccessible', 'join', 'link']);
  });

  it('has no progressive override, no context and no connector', () => {
    expect(used.filter(({ name }) => name.value === 'join__directive')).toEqual([]);
    const given = used
      .filter(({ name }) => name.value === 'join__field')
      .flatMap(({ arguments: each = [] }) => each.map(({ name }) => name.value));
    expect(given).not.toContain('overrideLabel');
    expect(given).not.toContain('contextArguments');
  });
});
