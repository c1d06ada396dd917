import { GraphQLError } from 'graphql';
import type { ResponsePath } from '../data/json.js';

/**
 * The value for the client; null if there is none; undefined if it is null because of an error, which is already
 * reported.
 */
export type Complete = (value: unknown, state: Completion) => unknown;

/** One projection: where it is, and what it found. */
export class Completion {
  /** the path of the current object or list, up to `depth` */
  readonly path: ResponsePath = [];
  depth = 0;
  #known: ReturnType<typeof indexOf> | undefined;

  /** @param errors are appended to */
  constructor(readonly errors: GraphQLError[]) {}

  /** Reports an error, unless one of a subgraph says already why a value is missing here. */
  report(message: string, key?: string | number): undefined {
    const path = this.path.slice(0, this.depth);
    if (key !== undefined) path.push(key);
    if (this.errors.length > 0 && this.#isExplained(path)) return;
    this.errors.push(
      new GraphQLError(message, { path, extensions: { code: 'INTERNAL_SERVER_ERROR' } }),
    );
  }

  /** Whether the subgraphs reported an error without a path, at this place, below it, or at an object around it. */
  #isExplained(path: ResponsePath): boolean {
    this.#known ??= indexOf(this.errors);
    const { at, within, isAnywhere } = this.#known;
    if (isAnywhere || within.has(JSON.stringify(path))) return true;
    return path.some((_, n) => n > 0 && at.has(JSON.stringify(path.slice(0, n))));
  }
}

function indexOf(errors: readonly GraphQLError[]) {
  const at = new Set<string>();
  const within = new Set<string>();
  // A subgraph that refuses a request as a whole does not say what is missing because of it.
  const isAnywhere = errors.some(({ path }) => path === undefined);
  for (const { path } of errors) {
    if (!path) continue;
    at.add(JSON.stringify(path));
    for (let n = path.length; n > 0; n--) within.add(JSON.stringify(path.slice(0, n)));
  }
  return { at, within, isAnywhere };
}
