import type { GraphQLDataSource, GraphQLDataSourceProcessOptions } from '@apollo/gateway';
import { type DocumentNode, Kind, parse, type SelectionSetNode } from 'graphql';
import { DomainError } from '../../subgraphs/shared/errors.js';
import type { RouterContext } from '../context.js';

type Options = GraphQLDataSourceProcessOptions<RouterContext>;
type Path = (string | number)[];

/**
 * A data source whose refusals tell which fields are missing for it: the gateway itself says nothing
 * of the path of what could not be fetched. The rest of the answer comes all the same.
 */
export function withErrorPaths(
  source: GraphQLDataSource<RouterContext>,
): GraphQLDataSource<RouterContext> {
  return {
    async process(options) {
      if (options.context.plansOnly) return { data: null };
      try {
        return await source.process(options);
      } catch (error) {
        if (!(error instanceof DomainError)) throw error;
        const { message, extensions } = error;
        const errors = missingPaths(options).map((path) => ({ message, extensions, path }));
        return { data: null, errors: errors as never };
      }
    },
  };
}

/** Of each field at the top of what was asked, or of each entity. */
function missingPaths({ request: { query = '', variables } }: Options): Path[] {
  const roots = topSelections(parse(query, { noLocation: true }));
  const entities = roots.find(({ name }) => name === '_entities')?.selectionSet;
  if (!entities) return roots.map(({ key }) => [key]);
  const representations = (variables?.representations ?? []) as { __typename: string }[];
  const fieldsOf = new Map<string, string[]>();
  for (const { typeName, keys } of fragmentsOf(entities)) {
    fieldsOf.set(typeName, [...(fieldsOf.get(typeName) ?? []), ...keys]);
  }
  return representations.flatMap(({ __typename }, at): Path[] => {
    const keys = fieldsOf.get(__typename);
    return keys ? keys.map((key) => ['_entities', at, key]) : [['_entities', at]];
  });
}

function topSelections(document: DocumentNode) {
  const operation = document.definitions.find(
    (each) => each.kind === Kind.OPERATION_DEFINITION,
  ) as { selectionSet: SelectionSetNode };
  return fieldsIn(operation.selectionSet);
}

const fieldsIn = ({ selections }: SelectionSetNode) =>
  selections.flatMap((each) =>
    each.kind === Kind.FIELD
      ? [
          {
            name: each.name.value,
            key: (each.alias ?? each.name).value,
            selectionSet: each.selectionSet,
          },
        ]
      : [],
  );

/** The planner asks for the fields of entities in fragments, one or more for each type. */
const fragmentsOf = ({ selections }: SelectionSetNode) =>
  selections.flatMap((each) => {
    if (each.kind !== Kind.INLINE_FRAGMENT || !each.typeCondition) return [];
    const keys = fieldsIn(each.selectionSet).map(({ key }) => key);
    return [
      { typeName: each.typeCondition.name.value, keys: keys.filter((key) => key !== '__typename') },
    ];
  });
