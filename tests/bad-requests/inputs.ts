import {
  type GraphQLInputType,
  type GraphQLObjectType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isScalarType,
} from 'graphql';

export type Path = readonly (string | number)[];
export type Arguments = Readonly<Record<string, unknown>>;

/** Arguments that must be refused; `title` says what is wrong. */
export interface BadArguments {
  readonly title: string;
  readonly args: Arguments;
}

// Fields that a client must not be able to set.
const smuggled = {
  id: '0195c9a0-0000-7000-8000-000000000000',
  role: 'ADMIN',
  price: '0.01',
  unitPrice: '0.01',
  total: '0.01',
  status: 'CONFIRMED',
  expiresAt: '2099-01-01T00:00:00Z',
  ownerId: '0195c9a0-0000-7000-8000-000000000000',
  userId: '0195c9a0-0000-7000-8000-000000000000',
  customerId: '0195c9a0-0000-7000-8000-000000000000',
  emailVerified: true,
  passwordHash: 'x',
  available: 1_000_000,
  constructor: { prototype: { role: 'ADMIN' } },
} as const;

const wrongValues: Readonly<Record<string, readonly unknown[]>> = {
  UUID: ['', 'nonsense', 7, true, {}, [[]], "'; drop table user_account; --", '0'.repeat(5000)],
  Int: [2 ** 31, -(2 ** 31) - 1, 1.5, 1e308, '1', '', true, {}, [[]]],
  Boolean: ['true', 1, 0, {}, [[]], 'yes'],
  Decimal: ['', 'NaN', 'Infinity', '1e999', '--1', '0x10', '1,5', true, {}, [[]], '1'.repeat(5000)],
  String: [7, true, {}, [[]]],
  DateTime: [
    ...['', 'yesterday', '2026-02-30T00:00:00Z', 7.5, true, {}, "' or 1=1"],
    ...['0000-12-31T23:59:59Z', '9999-12-31T23:59:59-12:00'],
  ],
};
// PostgreSQL cannot store them. Only checked inside of inputs: as a plain argument they just match nothing.
const wrongText = ['a\0b', 'a\ud800'];
const wrongEnum = ['', 'ROOT', 'customer', 7, true, {}, 'ADMIN; --'];

/** All variants of valid arguments of a field in which one value is invalid. */
export function* badArguments(
  schema: GraphQLSchema,
  typeName: string,
  fieldName: string,
  good: Arguments,
): Generator<BadArguments> {
  const field = (schema.getType(typeName) as GraphQLObjectType).getFields()[fieldName];
  yield* ofFields(field?.args ?? [], good, []);
}

const omitted = 'omitted';

function* badValues(type: GraphQLInputType, good: Arguments, path: Path): Generator<BadArguments> {
  const bad = (value: unknown, title = shown(value)): BadArguments => ({
    title: `${path.join('.')} = ${title}`,
    args: withValue(good, path, value),
  });
  if (isNonNullType(type)) {
    yield bad(null);
    yield bad(undefined, omitted);
    yield* badValues(type.ofType, good, path);
    return;
  }
  if (isListType(type)) {
    const value = valueAt(good, path);
    if (Array.isArray(value) && value.length > 0) {
      yield* badValues(type.ofType, good, [...path, 0]);
      yield bad(
        Array.from({ length: 1001 }, () => value[0]),
        '1001 items',
      );
    }
    yield bad({});
    return;
  }
  if (isEnumType(type)) for (const value of wrongEnum) yield bad(value);
  if (isScalarType(type)) for (const value of wrongValues[type.name] ?? []) yield bad(value);
  if (isScalarType(type) && type.name === 'String' && path.length > 1) {
    for (const value of wrongText) yield bad(value);
  }
  if (!isInputObjectType(type)) return;
  const value = valueAt(good, path);
  for (const wrong of ['x', 7, true, [[]]]) yield bad(wrong);
  if (value === null || typeof value !== 'object') return;
  for (const [name, wanted] of Object.entries(smuggled)) {
    if (name in type.getFields()) continue;
    yield bad({ ...value, [name]: wanted }, `smuggles ${name}`);
  }
  yield* ofFields(Object.values(type.getFields()), good, path);
}

interface InputField {
  readonly name: string;
  readonly type: GraphQLInputType;
  readonly defaultValue?: unknown;
}

/** An argument with a default may be omitted. */
function* ofFields(fields: readonly InputField[], good: Arguments, path: Path) {
  for (const { name, type, defaultValue } of fields) {
    const here = [...path, name];
    const mayBeOmitted = defaultValue === undefined ? null : `${here.join('.')} = ${omitted}`;
    for (const bad of badValues(type, good, here)) if (bad.title !== mayBeOmitted) yield bad;
  }
}

const shown = (value: unknown) => {
  const text = JSON.stringify(value) ?? 'undefined';
  return text.length > 40 ? `${text.slice(0, 30)}… (${text.length})` : text;
};

function valueAt(args: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, key) => (value as Record<string | number, unknown> | undefined)?.[key],
    args,
  );
}

/** A copy with another value at a path; `undefined` removes it. */
export function withValue(args: Arguments, path: Path, value: unknown): Arguments {
  const copy = structuredClone(args) as Record<string | number, unknown>;
  let at = copy;
  for (const key of path.slice(0, -1)) {
    at[key] ??= {};
    at = at[key] as Record<string | number, unknown>;
  }
  const last = path.at(-1) as string | number;
  if (value === undefined) delete at[last];
  else at[last] = value;
  return copy;
}

/** Text for injection attacks; where any text is allowed, it must be stored as plain text. */
export const hostileTexts = [
  "'; drop table user_account; --",
  '" or ""="',
  '1); delete from stock_level; --',
  'x\n{"level":30,"msg":"forged line"}',
  'x\r\nSet-Cookie: a=b',
  '$' + '{jndi:ldap://127.0.0.1/a}',
  '{{7*7}}<script>alert(1)</script>',
  '../../../../etc/passwd',
  '\u202eright to left\u0007\u001b[31m',
  'x'.repeat(60_000),
  '%00%0a$ne',
] as const;

/** The paths of text in valid arguments. */
export function* textPaths(value: unknown, path: Path = []): Generator<Path> {
  if (typeof value === 'string') yield path;
  else if (value !== null && typeof value === 'object') {
    for (const [key, item] of Object.entries(value)) {
      yield* textPaths(item, [...path, Array.isArray(value) ? Number(key) : key]);
    }
  }
}
