import type {
  EntityClass,
  EntityManager,
  FilterQuery,
  OrderDefinition,
} from '@mikro-orm/postgresql';
import type { BatchLoad } from '../shared/graphql/context.js';
import { requireRowsWithin, rowsMax } from '../shared/graphql/rows-max.js';
import type { RowKey } from './row-key.js';

interface Reader {
  readonly em: EntityManager;
}

/** A row whose customer may be unknown: then it is looked up by its id alone. */
export interface SoughtRow {
  readonly customerId: string | null;
  readonly id: string;
}

/** Loads rows of customers; null for an unknown one. One statement for those whose customer is known. */
export function loadRows<T extends RowKey>(
  type: EntityClass<T>,
): BatchLoad<SoughtRow, T | null, Reader> {
  return async (keys, { em }) => {
    const known = keys.filter(({ customerId }) => customerId !== null);
    const unknown = keys.filter(({ customerId }) => customerId === null);
    const rows = [
      ...(known.length > 0 ? await em.find<T>(type, ofCustomers<T>(known, 'id')) : []),
      ...(unknown.length > 0 ? await em.find<T>(type, byId<T>(unknown)) : []),
    ];
    const found = new Map(rows.map((row) => [row.id, row]));
    return keys.map(({ customerId, id }) => {
      const row = found.get(id);
      return row && (customerId === null || row.customerId === customerId) ? row : null;
    });
  };
}

/**
 * Loads all rows that belong to each parent of the same customer, in one statement, ordered.
 *
 * @param key the property with the id of the parent
 * @throws `BAD_USER_INPUT` for more than `rowsMax` of all parents together
 */
export function loadAllRowsOf<T extends RowKey>(
  type: EntityClass<T>,
  key: keyof T & string,
): BatchLoad<RowKey, T[], Reader> {
  return async (parents, { em }) => {
    const orderBy = { id: 'asc' } as OrderDefinition<T>;
    const options = { orderBy, limit: rowsMax + 1 };
    const rows = await em.find<T>(type, ofCustomers<T>(parents, key), options);
    const byParent = Map.groupBy(requireRowsWithin(rows), (row) => row[key] as string);
    return parents.map(({ id }) => byParent.get(id) ?? []);
  };
}

const distinct = (values: readonly (string | null)[]) => [...new Set(values)];

const byId = <T>(keys: readonly SoughtRow[]) =>
  ({ id: { $in: distinct(keys.map(({ id }) => id)) } }) as FilterQuery<NoInfer<T>>;

const ofCustomers = <T>(keys: readonly SoughtRow[], property: string) =>
  ({
    customerId: { $in: distinct(keys.map(({ customerId }) => customerId)) },
    [property]: { $in: distinct(keys.map(({ id }) => id)) },
  }) as FilterQuery<NoInfer<T>>;
