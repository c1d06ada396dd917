import type { FieldNode, GraphQLObjectType, GraphQLSchema } from 'graphql';
import { LRUCache } from 'lru-cache';
import type { Variables } from '../data/json.js';
import { conditionVariables } from '../operation/apply-conditions.js';
import type { Operation } from '../operation/operation-document.js';
import { compileProjection, type Project } from './compile-projection.js';

// Combinations of the values of `@skip` and `@include` of one operation.
const combinationsMax = 32;

interface ProjectedOperation {
  /** the API schema */
  readonly schema: GraphQLSchema;
  readonly operation: Operation;
  /** default values of variables */
  readonly defaults: Variables;
  /** the key of a field in the responses of subgraphs */
  readonly sourceOf: (node: FieldNode) => string;
}

/**
 * The projection of an operation, compiled once for each combination of the variables in `@skip` and `@include`:
 * then it contains exactly the fields to return.
 */
export function projectionsOf(projected: ProjectedOperation): (variables: Variables) => Project {
  const names = conditionVariables(projected.operation);
  const read = (variables: Variables, name: string) =>
    (Object.hasOwn(variables, name) ? variables[name] : undefined) ?? projected.defaults[name];
  const compile = (variables: Variables): Project => {
    const { schema, operation, sourceOf } = projected;
    const { definition, fragments } = operation;
    const booleanOf = (name: string) => read(variables, name) === true;
    const root = schema.getRootType(definition.operation) as GraphQLObjectType;
    const scope = { schema, fragments, booleanOf };
    return compileProjection(scope, root, definition.selectionSet, sourceOf);
  };
  if (names.length === 0) {
    const project = compile({});
    return () => project;
  }
  const compiled = new LRUCache<string, Project>({ max: combinationsMax });
  return (variables) => {
    const combination = names.map((name) => (read(variables, name) === true ? '1' : '0')).join('');
    let project = compiled.get(combination);
    if (!project) {
      project = compile(variables);
      compiled.set(combination, project);
    }
    return project;
  };
}
