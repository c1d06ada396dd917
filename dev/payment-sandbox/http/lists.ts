import { asListed } from '../payments/payments.js';
import { invalidRequest, Refused } from '../payments/refused.js';
import { isoTime } from '../store/records.js';
import type { SandboxStore } from '../store/store.js';
import type { Page, PageQuery } from '../store/versioned-records.js';
import type { Controls } from './controls.js';

const pageMax = 100;

/**
 * A page of the payments, refunds or disputes that were created in a period. A payment that was canceled
 * before it was confirmed is not listed: it has no amount.
 *
 * @param search the query string
 * @throws Refused 400
 */
export function list(
  store: SandboxStore,
  controls: Controls,
  noun: string,
  search: string,
): Page<object> {
  const query = readQuery(new URLSearchParams(search));
  const asOf = controls.listedAt();
  const page = pageOf(store, noun, query, asOf);
  if (!page) throw invalidRequest(`unknown id in “after”: ${query.after}`);
  return page;
}

function pageOf(store: SandboxStore, noun: string, query: PageQuery, asOf: string) {
  switch (noun) {
    case 'payments': {
      const page = store.payments.page(query, asOf, ({ wasConfirmed }) => wasConfirmed);
      return page && { ...page, data: page.data.map(asListed) };
    }
    case 'refunds':
      return store.refunds.page(query, asOf, () => true);
    case 'disputes':
      return store.disputes.page(query, asOf, () => true);
    default:
      throw new Refused(404, 'not_found', 'not found');
  }
}

function readQuery(params: URLSearchParams): PageQuery {
  const limit = Number(params.get('limit') ?? pageMax);
  if (!Number.isInteger(limit) || limit < 1 || limit > pageMax) {
    throw invalidRequest(`“limit” must be an integer from 1 to ${pageMax}`);
  }
  const [from, to] = ['from', 'to'].map((name) => {
    const ms = Date.parse(params.get(name) ?? '');
    if (Number.isNaN(ms)) throw invalidRequest(`“${name}” must be a time in ISO 8601`);
    return isoTime(ms);
  }) as [string, string];
  return { from, to, after: params.get('after'), limit };
}
