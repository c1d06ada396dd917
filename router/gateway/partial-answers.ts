import type { GraphQLDataSource, GraphQLDataSourceProcessOptions } from '@apollo/gateway';
import { getOperationAST, type OperationDefinitionNode, parse } from 'graphql';
import { DomainError } from '../../subgraphs/shared/errors.js';
import type { RouterContext } from '../context.js';
import { entityKeysByType, responseKey, topLevelFields } from '../graphql-ast.js';

type Options = GraphQLDataSourceProcessOptions<RouterContext>;
type Path = (string | number)[];

/**
 * A data source whose errors name the fields that are missing because of them: the gateway does not set
 * the path of a failed fetch. The rest of the response is returned.
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

/** One error for each requested root field, or for each entity. */
function missingPaths({ request: { query = '', variables } }: Options): Path[] {
  const document = parse(query, { noLocation: true });
  const roots = topLevelFields(document, getOperationAST(document) as OperationDefinitionNode);
  const entities = roots.find(({ name }) => name.value === '_entities')?.selectionSet;
  if (!entities) return roots.map((field) => [responseKey(field)]);
  const keysByType = entityKeysByType(entities);
  const representations = (variables?.representations ?? []) as { __typename: string }[];
  return representations.flatMap(({ __typename }, at): Path[] => {
    const keys = keysByType.get(__typename);
    return keys ? keys.map((key) => ['_entities', at, key]) : [['_entities', at]];
  });
}
