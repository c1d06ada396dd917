import { type ConstDirectiveNode, Kind, parse } from 'graphql';

/** The subgraphs that a supergraph names, and where it says that they are: '' where it does not. */
export function subgraphsOf(supergraphSdl: string): ReadonlyMap<string, string> {
  const graphs = parse(supergraphSdl, { noLocation: true }).definitions.find(
    (each) => each.kind === Kind.ENUM_TYPE_DEFINITION && each.name.value === 'join__Graph',
  );
  if (graphs?.kind !== Kind.ENUM_TYPE_DEFINITION) throw new Error('it is no supergraph');
  return new Map(
    (graphs.values ?? []).map(({ directives = [] }) => {
      const graph = directives.find(({ name }) => name.value === 'join__graph');
      return [textOf(graph, 'name'), textOf(graph, 'url')] as const;
    }),
  );
}

function textOf(directive: ConstDirectiveNode | undefined, argument: string): string {
  const value = directive?.arguments?.find(({ name }) => name.value === argument)?.value;
  return value?.kind === Kind.STRING ? value.value : '';
}
