import {
  type GraphQLSchema,
  isAbstractType,
  Kind,
  type OperationDefinitionNode,
  parse,
  type SelectionSetNode,
  visit,
} from 'graphql';
import { findEmptyObjects } from '../../router/execution/operation/empty-objects.js';
import {
  type Operation,
  operationOf,
} from '../../router/execution/operation/operation-document.js';
import type { Planning } from '../../router/execution/planning.js';

/**
 * Whether Apollo is known to plan or shape an operation wrongly, so that only the monolith decides: an alias is the
 * name of another field; `@requires` names fields with arguments; an object may be empty; a fragment on a type is in
 * one on its interface; the type of an interface object is requested from a subgraph that does not know it.
 */
export function isKnownWrong(
  { fieldNames, requires, ...planning }: Planning,
  text: string,
): boolean {
  const document = parse(text);
  const operation = operationOf(document, document.definitions[0] as OperationDefinitionNode);
  const { supergraphSchema: schema, supergraphSdl } = planning;
  if (findEmptyObjects(schema, operation).size > 0 || narrowsInterface(schema, operation))
    return true;
  if (supergraphSdl.includes('isInterfaceObject: true') && text.includes('__typename')) return true;
  const ambiguous = new Set<string>();
  for (const [coordinate, sets] of requires) {
    for (const set of sets) {
      visit(set, {
        Field({ name, arguments: given }) {
          if (!given?.length) return;
          ambiguous.add(name.value);
          ambiguous.add(coordinate.split('.')[1] as string);
        },
      });
    }
  }
  let isWrong = false;
  visit(document, {
    Field({ alias, name }) {
      const hides = alias && (fieldNames.all.has(alias.value) || alias.value === '__typename');
      if (hides || ambiguous.has(name.value)) isWrong = true;
    },
  });
  return isWrong;
}

function narrowsInterface(schema: GraphQLSchema, { definition, fragments }: Operation): boolean {
  const within = ({ selections }: SelectionSetNode, isInInterface: boolean): boolean =>
    selections.some((node) => {
      if (node.kind === Kind.FIELD)
        return node.selectionSet !== undefined && within(node.selectionSet, false);
      const fragment = node.kind === Kind.FRAGMENT_SPREAD ? fragments.get(node.name.value) : node;
      const condition =
        fragment?.typeCondition && schema.getType(fragment.typeCondition.name.value);
      const isAbstract = condition ? isAbstractType(condition) : isInInterface;
      if (isInInterface && !isAbstract) return true;
      return fragment !== undefined && within(fragment.selectionSet, isAbstract);
    });
  return within(definition.selectionSet, false);
}
