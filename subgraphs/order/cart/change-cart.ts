import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../shared/database/sql.js';
import { conflict } from '../../shared/errors.js';
import { newId } from '../../shared/ids.js';

export const quantityMax = 10_000;
export const cartItemsMax = 100;
const shardsMax = 16;

/** A change of one line of a cart. */
export interface CartChange {
  readonly offerId: string;
  /** units: those that come, or go where it is negative; or how many there are from now on */
  readonly quantity: number;
  readonly name: string;
  readonly unitPriceAmount: string;
  readonly currencyCode: string;
}
/** How many units a line had, and how many it has. */
export interface ChangedLine {
  readonly offerId: string;
  readonly had: number;
  readonly has: number;
}
interface LockedCart {
  readonly id: string;
  readonly shard: number;
  /** whether its units stood in the counters before */
  readonly counted: boolean;
}

/** Cuts the ids of customers, whose last digits are random, into shards. */
const shardOf = (customerId: string) => Number.parseInt(customerId.slice(-4), 16) % shardsMax;

/**
 * The one function that changes a cart and the counters of units in carts, in the transaction of
 * `em`, which changes that come at the same time wait for: none is lost. A line that comes to 0 goes,
 * and none has more than 10,000 units.
 *
 * @param how `add` to what is there, and take over name and price as they are now; `restore`: add,
 *   but leave name and price of a line that is there; `set`: replace
 * @throws `CONFLICT` when a customer's change makes more than 100 lines
 */
export async function changeCart(
  em: EntityManager,
  customerId: string,
  how: 'add' | 'restore' | 'set',
  changes: readonly CartChange[],
): Promise<ChangedLine[]> {
  const cart = await lockCart(em, customerId);
  const changed = await sql<ChangedLine & { lines: number }>(em, changeLinesSql, [
    ...[cart.id, cart.shard, !cart.counted, how === 'set', how !== 'restore', quantityMax],
    changes.map(() => newId()),
    changes.map(({ offerId }) => offerId),
    changes.map(({ quantity }) => quantity),
    changes.map(({ name }) => name),
    changes.map(({ unitPriceAmount }) => unitPriceAmount),
    changes.map(({ currencyCode }) => currencyCode),
  ]);
  const isMore = changed.some(({ had, has }) => had === 0 && has > 0);
  if (how !== 'restore' && isMore && (changed[0]?.lines ?? 0) > cartItemsMax) {
    throw conflict(`A cart has at most ${cartItemsMax} lines: take something out first.`);
  }
  return changed;
}

/** Locks the customer's cart, made where there is none, and says that it was touched. */
async function lockCart(em: EntityManager, customerId: string): Promise<LockedCart> {
  const rows = await sql<LockedCart>(
    em,
    `insert into cart (id, shard) values ($1, $2)
     on conflict (id) do update set updated_at = now() returning id, shard, counted`,
    [customerId, shardOf(customerId)],
  );
  return rows[0] as LockedCart;
}

/**
 * One statement, so that the counters change by just what the lines do; a cart that was not counted
 * comes in with all its lines. The counters are locked in the order of their offers.
 */
const changeLinesSql = `
  with line as (
    select wanted.*, coalesce(i.quantity, 0) as had,
      greatest(0, least($6, case when $4 then wanted.quantity
        else coalesce(i.quantity, 0) + wanted.quantity end)) as has
    from unnest($7::uuid[], $8::uuid[], $9::int[], $10::text[], $11::numeric[], $12::text[])
      as wanted (id, offer_id, quantity, name, price, currency)
      left join cart_item i on i.cart_id = $1 and i.offer_id = wanted.offer_id
  ), gone as (
    delete from cart_item i using line
    where i.cart_id = $1 and i.offer_id = line.offer_id and line.has = 0
  ), kept as (
    insert into cart_item as i
      (cart_id, offer_id, id, name, unit_price_amount, currency_code, quantity)
    select $1, offer_id, id, name, price, currency, has from line where has > 0
    on conflict (cart_id, offer_id) do update set quantity = excluded.quantity, updated_at = now(),
      name = case when $5 then excluded.name else i.name end,
      unit_price_amount = case when $5 then excluded.unit_price_amount else i.unit_price_amount end,
      currency_code = case when $5 then excluded.currency_code else i.currency_code end
  ), moved as (
    select offer_id, has - had as units from line
    union all
    select offer_id, quantity from cart_item where cart_id = $1 and $3
  ), counted as (
    update cart set counted = true where id = $1 and $3
  ), counters as (
    insert into units_in_carts as c (offer_id, shard, units)
    select offer_id, $2, sum(units) from moved group by offer_id having sum(units) <> 0
    order by offer_id
    on conflict (offer_id, shard) do update set units = c.units + excluded.units, updated_at = now()
  )
  select offer_id as "offerId", had, has,
    (select count(*) from cart_item where cart_id = $1)::int
      + (select count(*) filter (where had = 0 and has > 0) from line)::int as lines
  from line`;
