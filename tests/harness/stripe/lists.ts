import { invalid, requireKnown } from './answers.js';

interface ListedObject {
  readonly id: string;
  readonly created: number;
  readonly payment_intent?: string;
}

const limitDefault = 10;
const limitMax = 100;
const comparisons: Readonly<Record<string, (created: number, bound: number) => boolean>> = {
  gt: (created, bound) => created > bound,
  gte: (created, bound) => created >= bound,
  lt: (created, bound) => created < bound,
  lte: (created, bound) => created <= bound,
};

/**
 * A page of a list.
 *
 * @param objects newest first
 * @param pageMax a further limit, to have many pages of few objects
 */
export function pageOf(
  objects: readonly ListedObject[],
  query: URLSearchParams,
  known: readonly string[],
  pageMax: number,
): object {
  requireKnown(query, ['limit', 'starting_after', 'created', ...known]);
  const limit = Number(query.get('limit') ?? limitDefault);
  if (!(limit >= 1 && limit <= limitMax)) {
    throw invalid('This value must be between 1 and 100.', { param: 'limit' });
  }
  const found = objects.filter((each) => matches(each, query));
  const start = startOf(found, query.get('starting_after'));
  const end = start + Math.min(limit, pageMax);
  return { object: 'list', data: found.slice(start, end), has_more: found.length > end };
}

function matches(object: ListedObject, query: URLSearchParams): boolean {
  const intentId = query.get('payment_intent');
  if (intentId !== null && object.payment_intent !== intentId) return false;
  return Object.entries(comparisons).every(([name, compare]) => {
    const bound = query.get(`created[${name}]`);
    return bound === null || compare(object.created, Number(bound));
  });
}

function startOf(objects: readonly ListedObject[], after: string | null): number {
  if (after === null) return 0;
  const at = objects.findIndex(({ id }) => id === after);
  if (at >= 0) return at + 1;
  const code = 'resource_missing';
  throw invalid(`No such object: '${after}'`, { code, param: 'starting_after' });
}
