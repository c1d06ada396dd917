import {
  type GraphQLArgument,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  parse,
  validate,
} from 'graphql';
import type { Random } from './random.js';

export interface GeneratedOperation {
  readonly text: string;
  readonly variables: Record<string, unknown>;
}

/** Fields by response key at one place of the response, so that two of a key can be merged. */
type Scope = Map<string, { readonly signature: string; readonly inner: Scope }>;

const attemptsMax = 50;

/**
 * A valid operation for a schema.
 *
 * @param collides whether aliases may be names of other fields
 */
export function generateOperation(
  schema: GraphQLSchema,
  random: Random,
  collides: boolean,
): GeneratedOperation {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const generated = new Generator(schema, random, collides).operation();
    const errors = validate(schema, parse(generated.text));
    if (errors.length === 0) return generated;
  }
  throw new Error('no valid operation');
}

class Generator {
  readonly #fieldNames: string[];
  readonly #variables: Record<string, unknown> = {};
  readonly #definitions: string[] = [];
  readonly #fragments: string[] = [];
  #fieldsLeft: number;

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly random: Random,
    private readonly collides: boolean,
  ) {
    const types = Object.values(schema.getTypeMap()).filter(
      (type) => isObjectType(type) && !type.name.startsWith('__'),
    ) as GraphQLObjectType[];
    this.#fieldsLeft = 3 + random.below(14);
    this.#fieldNames = types.flatMap((type) => Object.keys(type.getFields()));
  }

  operation(): GeneratedOperation {
    const { schema, random } = this;
    const mutation = schema.getMutationType();
    const isMutation = mutation != null && random.chance(0.1);
    const root = (isMutation ? mutation : schema.getQueryType()) as GraphQLObjectType;
    const selections = this.#selections(root, 4, new Map());
    const name = random.chance(0.5) ? ' Generated' : '';
    const definitions = this.#definitions.length > 0 ? `(${this.#definitions.join(' ')})` : '';
    const text = [
      `${isMutation ? 'mutation' : 'query'}${name}${definitions} ${selections}`,
      ...this.#fragments,
    ].join('\n');
    return { text, variables: this.#variables };
  }

  #selections(type: GraphQLCompositeType, depth: number, scope: Scope): string {
    const { random } = this;
    const parts = Array.from({ length: 1 + random.below(4) }, (_, n) => {
      if (n > 0 && this.#fieldsLeft <= 0) return '';
      if (random.chance(isAbstractType(type) ? 0.5 : 0.15))
        return this.#fragment(type, depth, scope);
      if (random.chance(0.12)) return this.#typename(scope);
      return this.#field(type, depth, scope);
    }).filter((part) => part !== '');
    return `{ ${parts.length > 0 ? parts.join(' ') : '__typename'} }`;
  }

  #typename(scope: Scope): string {
    this.#fieldsLeft -= 1;
    const alias = this.random.chance(0.4) ? this.#alias() : '__typename';
    if (!this.#claim(scope, alias, '__typename')) return '';
    return alias === '__typename' ? alias : `${alias}: __typename`;
  }

  #fragment(type: GraphQLCompositeType, depth: number, scope: Scope): string {
    const { random, schema } = this;
    this.#fieldsLeft -= 1;
    const interfaces = isObjectType(type) || isInterfaceType(type) ? type.getInterfaces() : [];
    const possible = isAbstractType(type) ? schema.getPossibleTypes(type) : [];
    const condition = random.pick([type, ...interfaces, ...possible]) as GraphQLCompositeType;
    const selections = this.#selections(condition, depth, scope);
    if (random.chance(0.3)) {
      const name = `Part${this.#fragments.length}`;
      this.#fragments.push(`fragment ${name} on ${condition.name} ${selections}`);
      return `...${name}${this.#condition()}`;
    }
    const on = random.chance(0.2) && condition === type ? '' : ` on ${condition.name}`;
    return `...${on}${this.#condition()} ${selections}`;
  }

  #field(type: GraphQLCompositeType, depth: number, scope: Scope): string {
    const { random } = this;
    if (!('getFields' in type)) return this.#typename(scope);
    this.#fieldsLeft -= 1;
    const isLeaf = (each: GraphQLField<unknown, unknown>) =>
      !isCompositeType(getNamedType(each.type));
    const isDeep = depth > 0 && this.#fieldsLeft > 0;
    const fields = Object.values(type.getFields()).filter((each) => isDeep || isLeaf(each));
    if (fields.length === 0) return this.#typename(scope);
    const composite = fields.filter((each) => !isLeaf(each));
    const prefersComposite = composite.length > 0 && random.chance(0.5);
    const field = random.pick(prefersComposite ? composite : fields);
    const given = this.#arguments(field.args);
    const key = random.chance(0.3) ? this.#alias() : field.name;
    const inner = this.#claim(scope, key, `${field.name}${given}`);
    if (!inner) return '';
    const named = getNamedType(field.type);
    const selections = isCompositeType(named)
      ? ` ${this.#selections(named, depth - 1, inner)}`
      : '';
    const alias = key === field.name ? '' : `${key}: `;
    return `${alias}${field.name}${given}${this.#condition()}${selections}`;
  }

  /** @returns the scope below a response key; null if another field has it */
  #claim(scope: Scope, key: string, signature: string): Scope | null {
    const known = scope.get(key);
    if (known) return known.signature === signature ? known.inner : null;
    const inner: Scope = new Map();
    scope.set(key, { signature, inner });
    return inner;
  }

  #alias(): string {
    const { random } = this;
    if (!this.collides) return random.pick(['a', 'b', '_0', '_1']);
    if (random.chance(0.03)) return '__typename';
    return random.chance(0.7) ? random.pick(this.#fieldNames) : random.pick(['a', 'b', '_0', '_1']);
  }

  #condition(): string {
    const { random } = this;
    if (!random.chance(0.08)) return '';
    const name = random.pick(['skip', 'include']);
    if (random.chance(0.2)) return ` @${name}(if: ${random.chance(0.5)})`;
    const variable = `b${this.#definitions.length}`;
    const hasDefault = random.chance(0.4);
    this.#definitions.push(`$${variable}: Boolean${hasDefault ? ` = ${random.chance(0.5)}` : '!'}`);
    if (!hasDefault || random.chance(0.5)) this.#variables[variable] = random.chance(0.5);
    return ` @${name}(if: $${variable})`;
  }

  #arguments(args: readonly GraphQLArgument[]): string {
    const given = args.flatMap(({ name, type, defaultValue }) => {
      const isRequired = isNonNullType(type) && defaultValue === undefined;
      if (!isRequired && this.random.chance(0.4)) return [];
      return [`${name}: ${this.#argument(type)}`];
    });
    return given.length > 0 ? `(${given.join(', ')})` : '';
  }

  #argument(type: GraphQLInputType): string {
    const { random } = this;
    if (!random.chance(0.4)) return literal(this.#value(type), type);
    const name = `v${this.#definitions.length}`;
    const hasDefault = random.chance(0.4);
    const initial = hasDefault ? ` = ${literal(this.#value(type), type)}` : '';
    this.#definitions.push(`$${name}: ${type}${initial}`);
    const isOptional = hasDefault || !isNonNullType(type);
    if (!isOptional || random.chance(0.6)) this.#variables[name] = this.#value(type);
    return `$${name}`;
  }

  #value(type: GraphQLInputType, depth = 0): unknown {
    const { random } = this;
    if (isNonNullType(type)) return this.#value(type.ofType, depth) ?? this.#value(type, depth);
    if (random.chance(0.1)) return null;
    if (isListType(type)) {
      return Array.from({ length: random.below(3) }, () => this.#value(type.ofType, depth + 1));
    }
    if (isEnumType(type)) return random.pick(type.getValues()).name;
    if (isInputObjectType(type)) {
      return Object.fromEntries(
        Object.values(type.getFields())
          .filter((field) => isNonNullType(field.type) || (depth < 3 && random.chance(0.5)))
          .map((field) => [field.name, this.#value(field.type, depth + 1)]),
      );
    }
    if (type.name === 'Int') return random.below(3);
    if (type.name === 'Float') return random.below(8) / 4;
    if (type.name === 'Boolean') return random.chance(0.5);
    return random.pick(['red', 'green "light"', '3']);
  }
}

/** A value as text of GraphQL. */
function literal(value: unknown, type: GraphQLInputType): string {
  const bare = isNonNullType(type) ? type.ofType : type;
  if (value === null || value === undefined) return 'null';
  if (isListType(bare)) {
    return `[${(value as unknown[]).map((each) => literal(each, bare.ofType)).join(', ')}]`;
  }
  if (isInputObjectType(bare)) {
    const fields = Object.entries(value as Record<string, unknown>).map(([name, each]) => {
      return `${name}: ${literal(each, bare.getFields()[name]?.type as GraphQLInputType)}`;
    });
    return `{ ${fields.join(', ')} }`;
  }
  return isEnumType(bare) ? String(value) : JSON.stringify(value);
}
