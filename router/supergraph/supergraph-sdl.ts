import {
  type ConstDirectiveNode,
  type ConstValueNode,
  type DocumentNode,
  Kind,
  parse,
} from 'graphql';

/** subgraph → type → its key fields */
export type EntityKeys = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;

/** The subgraphs of a supergraph and their addresses; '' for one without an address. */
export function subgraphsOf(supergraphSdl: string): ReadonlyMap<string, string> {
  const graphs = readGraphs(parse(supergraphSdl, { noLocation: true }));
  return new Map(graphs.map(({ name, url }) => [name, url]));
}

/** The keys that subgraphs declare in a supergraph, if they are plain fields. */
export function readEntityKeys(supergraphSdl: string): EntityKeys {
  const document = parse(supergraphSdl, { noLocation: true });
  const keys = new Map<string, Map<string, readonly string[]>>();
  const nameOf = new Map(readGraphs(document).map(({ value, name }) => [value, name]));
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION) continue;
    for (const directive of definition.directives ?? []) {
      if (directive.name.value !== 'join__type') continue;
      const graph = argumentOf(directive, 'graph');
      const key = argumentOf(directive, 'key');
      if (graph?.kind !== Kind.ENUM || key?.kind !== Kind.STRING || /[{(]/.test(key.value))
        continue;
      const subgraph = nameOf.get(graph.value) ?? graph.value;
      const ofSubgraph = keys.get(subgraph) ?? new Map<string, readonly string[]>();
      keys.set(subgraph, ofSubgraph);
      const fields = key.value.trim().split(/[\s,]+/);
      if (!ofSubgraph.has(definition.name.value)) ofSubgraph.set(definition.name.value, fields);
    }
  }
  return keys;
}

/** The values of the enum `join__Graph`, by which other directives refer to a subgraph. */
function readGraphs({ definitions }: DocumentNode) {
  const graphs = definitions.find(
    (each) => each.kind === Kind.ENUM_TYPE_DEFINITION && each.name.value === 'join__Graph',
  );
  if (graphs?.kind !== Kind.ENUM_TYPE_DEFINITION) throw new Error('not a supergraph');
  return (graphs.values ?? []).map(({ name, directives = [] }) => {
    const graph = directives.find((directive) => directive.name.value === 'join__graph');
    return { value: name.value, name: textOf(graph, 'name'), url: textOf(graph, 'url') };
  });
}

const argumentOf = (directive: ConstDirectiveNode | undefined, argument: string) =>
  directive?.arguments?.find(({ name }) => name.value === argument)?.value;

function textOf(directive: ConstDirectiveNode | undefined, argument: string): string {
  const value: ConstValueNode | undefined = argumentOf(directive, argument);
  return value?.kind === Kind.STRING ? value.value : '';
}
