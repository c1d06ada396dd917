import type { EntityManager } from '@mikro-orm/postgresql';
import { noSale } from '../../contracts/sale.js';
import { namedParameters } from '../../shared/database/named-parameters.js';
import { sql } from '../../shared/database/sql.js';
import { conflict } from '../../shared/errors.js';
import { newId } from '../../shared/ids.js';
import { lockCart } from '../locks.js';
import { lineKeyOf } from './cart.js';

export const quantityMax = 10_000;
/** Lines of a cart, and of an order. */
export const cartItemsMax = 100;
const shardsMax = 16;

/** A change of one line of a cart. */
export interface CartChange {
  readonly offerId: string;
  /** null for the line at the regular price */
  readonly saleId: string | null;
  /** units to add (negative: to remove), or for `set` the new number of units */
  readonly quantity: number;
  readonly name: string;
  readonly unitPriceAmount: string;
  readonly currencyCode: string;
}
/** A line with its units before and after the change. */
export interface ChangedLine {
  readonly offerId: string;
  readonly saleId: string | null;
  readonly before: number;
  readonly after: number;
}
/** Assigns a customer to a shard by the last digits of the id, which are random. */
const shardOf = (customerId: string) => Number.parseInt(customerId.slice(-4), 16) % shardsMax;

/**
 * The only function that changes a cart and the counters of units in carts, in the transaction of
 * `em`. Concurrent changes of one cart wait for its row lock, so that none is lost. A line is removed
 * at 0 units and capped at 10,000.
 *
 * @param how `add`: add units, with the current name and price; `restore`: add units, but keep name
 *   and price of an existing line, and add no line beyond 100; `set`: replace the line
 * @throws `CONFLICT` when a customer's change would make more than 100 lines
 */
export async function changeCart(
  em: EntityManager,
  customerId: string,
  how: 'add' | 'restore' | 'set',
  changes: readonly CartChange[],
): Promise<ChangedLine[]> {
  const cart = await lockCart(em, customerId, shardOf(customerId));
  const values = changeParameters.values({
    customer_id: customerId,
    shard: cart.shard,
    is_uncounted: !cart.counted,
    replaces: how === 'set',
    renames: how !== 'restore',
    quantity_max: quantityMax,
    change: changes.map(({ offerId, saleId, quantity, name, unitPriceAmount, currencyCode }) => ({
      id: newId(),
      offer_id: offerId,
      sale_id: saleId ?? noSale,
      quantity,
      name,
      unit_price_amount: unitPriceAmount,
      currency_code: currencyCode,
    })),
  });
  const changed = await sql<ChangedLine & { lines: number }>(em, changeLinesSql, values);
  const added = changed.filter(({ before, after }) => before === 0 && after > 0);
  const excess = (changed[0]?.lines ?? 0) - cartItemsMax;
  if (added.length === 0 || excess <= 0) return changed;
  if (how !== 'restore') {
    throw conflict(`A cart can have ${cartItemsMax} lines at most. Remove a line first.`);
  }
  const dropped = new Set(added.slice(-excess).map(keyOf));
  const removals = changes.filter((each) => dropped.has(keyOf(each)));
  await changeCart(
    em,
    customerId,
    'set',
    removals.map((each) => ({ ...each, quantity: 0 })),
  );
  return changed.map((each) => (dropped.has(keyOf(each)) ? { ...each, after: 0 } : each));
}

const keyOf = ({ offerId, saleId }: Pick<ChangedLine, 'offerId' | 'saleId'>) =>
  lineKeyOf(offerId, saleId);

const changeParameters = namedParameters({
  customer_id: 'uuid',
  shard: 'smallint',
  is_uncounted: 'boolean',
  replaces: 'boolean',
  renames: 'boolean',
  quantity_max: 'int',
  change: {
    id: 'uuid',
    offer_id: 'uuid',
    sale_id: 'uuid',
    quantity: 'int',
    name: 'text',
    unit_price_amount: 'numeric',
    currency_code: 'text',
  },
});
const { sql: parameters } = changeParameters;

/**
 * One statement, so that the counters change by exactly what the lines do. A cart that was not
 * counted is counted with all its lines. The counters are locked in the order of their offers.
 */
const changeLinesSql = `
  with line as (
    select change.*, coalesce(i.quantity, 0) as before,
      greatest(0, least(${parameters.quantity_max},
        case when ${parameters.replaces} then change.quantity
        else coalesce(i.quantity, 0) + change.quantity end)) as after
    from ${parameters.change}
      left join cart_item i on i.customer_id = ${parameters.customer_id} and i.offer_id = change.offer_id
        and i.sale_id = change.sale_id
  ), removed as (
    delete from cart_item i using line
    where i.customer_id = ${parameters.customer_id} and i.offer_id = line.offer_id
      and i.sale_id = line.sale_id and line.after = 0
  ), saved as (
    insert into cart_item as i
      (customer_id, offer_id, sale_id, id, name, unit_price_amount, currency_code, quantity)
    select ${parameters.customer_id}, offer_id, sale_id, id, name, unit_price_amount, currency_code, after
    from line where after > 0
    on conflict (customer_id, offer_id, sale_id) do update set quantity = excluded.quantity, updated_at = now(),
      name = case when ${parameters.renames} then excluded.name else i.name end,
      unit_price_amount = case when ${parameters.renames}
        then excluded.unit_price_amount else i.unit_price_amount end,
      currency_code = case when ${parameters.renames}
        then excluded.currency_code else i.currency_code end
  ), difference as (
    select offer_id, after - before as units from line
    union all
    select offer_id, quantity from cart_item
    where customer_id = ${parameters.customer_id} and ${parameters.is_uncounted}
  ), counted as (
    update cart set counted = true
    where customer_id = ${parameters.customer_id} and ${parameters.is_uncounted}
  ), counters as (
    insert into units_in_carts as c (offer_id, shard, units)
    select offer_id, ${parameters.shard}, sum(units) from difference
    group by offer_id having sum(units) <> 0
    order by offer_id
    on conflict (offer_id, shard) do update set units = c.units + excluded.units, updated_at = now()
  )
  select offer_id as "offerId", nullif(sale_id, '${noSale}') as "saleId", before, after,
    (select count(*) from cart_item where customer_id = ${parameters.customer_id})::int
      + (select count(*) filter (where before = 0 and after > 0) from line)::int as lines
  from line`;
