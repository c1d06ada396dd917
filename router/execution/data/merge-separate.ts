import { GraphQLError } from 'graphql';
import { tryAgain } from '../../../subgraphs/shared/errors.js';
import { isObject, type JsonObject, ownValue, setOwn } from '../../json-objects.js';

const changed = 'This changed while it was read. Please retry.';

/**
 * Merges the data of an operation that was executed in parts. Where the parts do not agree, because the data
 * changed in between, the first part stays and an error says so.
 *
 * @param ambiguous the names of fields with arguments: without an alias, each part may have other arguments
 */
export function mergeSeparate(
  target: JsonObject,
  source: JsonObject,
  ambiguous: ReadonlySet<string>,
  errors: GraphQLError[],
): void {
  const { message, extensions } = tryAgain(changed);
  const isMerged = (into: JsonObject, from: JsonObject): boolean =>
    Object.keys(from).every((key) => {
      const [known, value] = [ownValue(into, key), from[key]];
      if (ambiguous.has(key)) return true;
      if (known === undefined) {
        setOwn(into, key, value);
        return true;
      }
      return isMergedValue(known, value);
    });
  const isMergedValue = (known: unknown, value: unknown): boolean => {
    if (isObject(known) && isObject(value)) return isMerged(known, value);
    if (!Array.isArray(known) || !Array.isArray(value)) return known === value;
    return known.length === value.length && known.every((each, n) => isMergedValue(each, value[n]));
  };
  if (!isMerged(target, source)) errors.push(new GraphQLError(message, { extensions }));
}
