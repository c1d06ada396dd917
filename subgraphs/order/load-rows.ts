import type { EntityClass, EntityManager, FilterQuery } from '@mikro-orm/postgresql';
import type { BatchLoad } from '../shared/graphql/context.js';
import type { RowKey } from './row-key.js';

interface Reader {
  readonly em: EntityManager;
}

/** A row whose customer may be unknown: then it is looked up by its id alone. */
export interface RowLookup {
  readonly customerId: string | null;
  readonly id: string;
}

/** Loads rows of customers; null for an unknown one. One statement for those whose customer is known. */
export function loadRows<T extends RowKey>(
  type: EntityClass<T>,
): BatchLoad<RowLookup, T | null, Reader> {
  return async (keys, { em }) => {
    const known = keys.filter(({ customerId }) => customerId !== null);
    const unknown = keys.filter(({ customerId }) => customerId === null);
    const rows = [
      ...(known.length > 0 ? await em.find<T>(type, ofCustomers<T>(known)) : []),
      ...(unknown.length > 0 ? await em.find<T>(type, byId<T>(unknown)) : []),
    ];
    const found = new Map(rows.map((row) => [row.id, row]));
    return keys.map(({ customerId, id }) => {
      const row = found.get(id);
      return row && (customerId === null || row.customerId === customerId) ? row : null;
    });
  };
}

const distinct = (values: readonly (string | null)[]) => [...new Set(values)];

const byId = <T>(keys: readonly RowLookup[]) =>
  ({ id: { $in: distinct(keys.map(({ id }) => id)) } }) as FilterQuery<NoInfer<T>>;

const ofCustomers = <T>(keys: readonly RowLookup[]) =>
  ({
    customerId: { $in: distinct(keys.map(({ customerId }) => customerId)) },
    id: { $in: distinct(keys.map(({ id }) => id)) },
  }) as FilterQuery<NoInfer<T>>;
