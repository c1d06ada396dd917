import {
  type GraphQLInputType,
  getNamedType,
  getNullableType,
  isInputObjectType,
  isListType,
  isObjectType,
} from 'graphql';
import { api, fieldOf } from '../rights/graph.js';
import type { Arguments, Path } from './inputs.js';

/** A text in the arguments of an operation. */
export interface TextField {
  /** `Input.field` */
  readonly name: string;
  readonly path: Path;
}

const isText = (type: GraphQLInputType) => getNamedType(type).name === 'String';

/** Every field of an input of the API that is a string, or a list of strings, as `Input.field`. */
export const allTexts: readonly string[] = Object.values(api.getTypeMap())
  .filter(isInputObjectType)
  .flatMap((input) =>
    Object.values(input.getFields())
      .filter(({ type }) => isText(type))
      .map(({ name }) => `${input.name}.${name}`),
  );

/** The names of all arguments of fields that are strings, or lists of strings. */
export const allTextArguments: ReadonlySet<string> = new Set(
  Object.values(api.getTypeMap())
    .filter((type) => isObjectType(type) && !type.name.startsWith('__'))
    .flatMap((type) => Object.values(isObjectType(type) ? type.getFields() : {}))
    .flatMap(({ args }) => args.filter(({ type }) => isText(type)).map(({ name }) => name)),
);

/** The texts in the inputs of an operation, where its sample has the objects that they are in. */
export function textsOf(operation: string, sample: Arguments): TextField[] {
  const args = fieldOf(api, operation)?.args ?? [];
  return args.flatMap(({ name, type }) => [...textsIn(type, sample[name], [name])]);
}

function* textsIn(type: GraphQLInputType, value: unknown, path: Path): Generator<TextField> {
  const nullable = getNullableType(type);
  if (isListType(nullable)) {
    if (Array.isArray(value)) yield* textsIn(nullable.ofType, value[0], [...path, 0]);
    return;
  }
  if (!isInputObjectType(nullable) || value === undefined) return;
  for (const { name, type: fieldType } of Object.values(nullable.getFields())) {
    const here = [...path, name];
    const isList = isListType(getNullableType(fieldType));
    if (isText(fieldType)) {
      yield { name: `${nullable.name}.${name}`, path: isList ? [...here, 0] : here };
    } else yield* textsIn(fieldType, (value as Arguments)[name], here);
  }
}
