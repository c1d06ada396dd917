import { isDeepStrictEqual } from 'node:util';
import type { ExecutionResult } from 'graphql';

type Path = readonly (string | number)[];
const internal = 'INTERNAL_SERVER_ERROR';

interface Found {
  readonly path: Path;
  readonly code: string;
}

/** A response, with its errors where clients notice them. */
export interface Normalized {
  readonly data: unknown;
  /** errors at fields that are null because of them: path and code */
  readonly exact: ReadonlySet<string>;
  /** nulled places above a field with an error: one error of the fields below is enough */
  readonly above: ReadonlySet<string>;
}

/** Errors at fields that the client did not select are left out: a field that it selected requires them. */
export function normalize({ data, errors = [] }: ExecutionResult): Normalized {
  const plain = JSON.parse(JSON.stringify(data ?? null));
  const exact = new Set<string>();
  const above = new Set<string>();
  for (const { path, code } of errors.map(foundOf)) {
    const depth = depthOfNull(plain, path);
    if (depth === null) continue;
    if (depth === path.length) exact.add(JSON.stringify([path, code]));
    else above.add(JSON.stringify(path.slice(0, depth)));
  }
  return { data: plain, exact, above };
}

const foundOf = ({
  path = [],
  extensions,
}: NonNullable<ExecutionResult['errors']>[number]): Found => ({
  path,
  code: String(extensions?.code ?? internal),
});

/** How far a path goes until null; null if the data is something else than null there, or has no such field. */
function depthOfNull(data: unknown, path: Path): number | null {
  let value = data;
  for (let depth = 0; depth <= path.length; depth++) {
    if (value === null) return depth;
    if (typeof value !== 'object' || value === undefined) return null;
    value = (value as Record<string | number, unknown>)[path[depth] as string];
  }
  return null;
}

export const isSame = (one: Normalized, other: Normalized): boolean =>
  isDeepStrictEqual(one, other);

/** Errors below nulled places that no resolver reported, by all the errors there are if nothing has to be non-null. */
export function inventedErrors(result: ExecutionResult, all: ExecutionResult): readonly string[] {
  const plain = JSON.parse(JSON.stringify(all.data ?? null));
  const textOf = (found: Found) => JSON.stringify([found.path, found.code]);
  const real = new Set((all.errors ?? []).map(foundOf).map(textOf));
  return (result.errors ?? [])
    .map(foundOf)
    .filter(({ code, path }) => code !== internal && depthOfNull(plain, path) !== null)
    .map(textOf)
    .filter((text) => !real.has(text));
}

/**
 * Whether Apollo's executor did what it is known to do: it reports nulls that must not be only as an extension, if
 * there is no other error, and shifts positions in lists after an entity that it did not request.
 */
export function isSameForApollo({ data, errors }: ExecutionResult, expected: Normalized): boolean {
  const textOf = ({ path, code }: Found) => withoutPositions(JSON.stringify([path, code]));
  const found = new Set((errors ?? []).map(foundOf).map(textOf));
  const isReported = (text: string) => found.has(withoutPositions(text)) || text.includes(internal);
  return (
    isDeepStrictEqual(JSON.parse(JSON.stringify(data ?? null)), expected.data) &&
    [...expected.exact].every(isReported)
  );
}

const withoutPositions = (text: string) => text.replace(/(?<=[[,])\d+(?=[\],])/g, '0');

export const shown = ({ data, exact, above }: Normalized) =>
  JSON.stringify({ data, exact: [...exact].sort(), above: [...above].sort() }, null, 1);
