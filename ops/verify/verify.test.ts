import pg from 'pg';
import { seedId } from '../../dev/seed/ids.js';
import { seedStore } from '../../dev/seed/store.js';
import { newId } from '../../subgraphs/shared/ids.js';
import { createAllTestDatabases } from '../../tests/harness/databases.js';
import { someoneWaits } from '../../tests/harness/wait.js';
import type { DatabaseUrls } from '../databases/urls.js';
import { rebuildProjections } from '../rebuild/projections.js';
import type { SubgraphName } from '../subgraph-names.js';
import { invariants, isBroken, report, verify } from './verify.js';

const level = seedId('level', 0);
const offer = seedId('offer', 0);

const refunded = newId();
const sold = newId();

type Break = [broken: string, database: SubgraphName, statements: string[]];

interface TestMovement {
  readonly type: string;
  readonly onHandDelta?: number;
  readonly committedDelta?: number;
  readonly reference?: string;
}
/** SQL for a movement of the level, which stays as it is. */
const movement = ({
  type,
  onHandDelta = 0,
  committedDelta = 0,
  reference = 'test',
}: TestMovement) =>
  `insert into stock_movement (shop_id, level_id, id, seq, type, on_hand_delta, reserved_delta,
     committed_delta, on_hand, reserved, committed, unavailable, reference, actor)
   select shop_id, id, '${newId()}', last_seq + 1, '${type}', ${onHandDelta}, 0, ${committedDelta},
     on_hand, reserved, committed, unavailable, '${reference}', 'test'
   from stock_level where id = '${level}'`;

/** Each breaks one invariant directly in SQL; verify must name it. */
const breaks: Break[] = [
  [
    'no level has units below 0, or more unavailable than on hand',
    'warehouse',
    [
      'alter table stock_level drop constraint stock_level_not_negative',
      `update stock_level set committed = -1 where id = '${level}'`,
    ],
  ],
  [
    'no level has units below 0, or more unavailable than on hand',
    'warehouse',
    [
      'alter table stock_level drop constraint stock_level_unavailable',
      `update stock_level set unavailable = on_hand + 1, shortfall = 1 where id = '${level}'`,
    ],
  ],
  [
    'the shortfall of a level is what is promised beyond its units',
    'warehouse',
    [
      'alter table stock_level drop constraint stock_level_shortfall',
      `update stock_level set reserved = on_hand + 1 where id = '${level}'`,
    ],
  ],
  [
    'every level is the sum of its movements',
    'warehouse',
    [`update stock_level set unavailable = 1 where id = '${level}'`],
  ],
  [
    'committed is the sum of paid units not shipped or cancelled',
    'warehouse',
    [`update stock_level set committed = 1 where id = '${level}'`],
  ],
  [
    'every level is the sum of its movements',
    'warehouse',
    [`update stock_level set on_hand = on_hand + 1 where id = '${level}'`],
  ],
  [
    'reserved is the sum of HELD reservations',
    'warehouse',
    [`update stock_level set reserved = 1 where id = '${level}'`],
  ],
  [
    'every reservation line is the sum of its movements',
    'warehouse',
    [
      `insert into reservation (order_id, state, expires_at, payment_id)
       values ('${newId()}', 'COMMITTED', now(), '${newId()}')`,
      `insert into reservation_line (order_id, shop_id, level_id, quantity)
       select order_id, shop_id, id, 2 from reservation, stock_level where id = '${level}'`,
    ],
  ],
  [
    'every movement of an order has a reservation line',
    'warehouse',
    [movement({ type: 'RELEASE', reference: newId() })],
  ],
  ['the total of an order is the sum of its lines', 'order', ['delete from order_item']],
  [
    'units shipped do not exceed units received',
    'warehouse',
    [movement({ type: 'SHIPMENT', onHandDelta: -1000 })],
  ],
  [
    'every reservation line is the sum of its movements',
    'warehouse',
    [
      `insert into reservation (order_id, state, expires_at, payment_id)
       values ('${sold}', 'COMMITTED', now(), '${newId()}')`,
      `insert into reservation_line (order_id, shop_id, level_id, quantity, shipped)
       select '${sold}', shop_id, id, 2, 2 from stock_level where id = '${level}'`,
      movement({ type: 'COMMIT', committedDelta: 2, reference: sold }),
      movement({ type: 'SHIPMENT', onHandDelta: -1, committedDelta: -2, reference: sold }),
    ],
  ],
  [
    'no reservation is HELD more than 5 s after its expiry',
    'warehouse',
    [
      `insert into reservation (order_id, state, expires_at)
       values ('${newId()}', 'HELD', now() - interval '6 s')`,
    ],
  ],
  [
    'available is the sum of the free units in active warehouses',
    'warehouse',
    ['update warehouse set active = false'],
  ],
  [
    'the last event of a warehouse says whether it is active',
    'warehouse',
    [
      `insert into warehouse_event (id, shop_id, warehouse_id, type, actor)
       select '${seedId('later event', 1_000_000)}', shop_id, warehouse_id, 'DEACTIVATED', 'test'
       from stock_level
       where id = '${level}'`,
    ],
  ],
  [
    'the last event of a warehouse says whether it is active',
    'warehouse',
    [`insert into warehouse (id, shop_id, name) values ('${newId()}', '${newId()}', 'New')`],
  ],
  [
    'incoming is the sum of units in transit',
    'warehouse',
    [`update stock_level set incoming = 1 where id = '${level}'`],
  ],
  [
    'every unit of a transfer is received, returned, missing or in transit',
    'warehouse',
    [
      `insert into stock_transfer (id, shop_id, from_id, to_id, status)
       select '${newId()}', shop_id, warehouse_id, '${seedId('warehouse', 1)}', 'IN_TRANSIT'
       from stock_level where id = '${level}'`,
      `insert into transfer_line (shop_id, transfer_id, sku, quantity)
       select t.shop_id, t.id, sku, 1 from stock_transfer t, stock_level l where l.id = '${level}'`,
    ],
  ],
  [
    'every movement of a transfer has a transfer line',
    'warehouse',
    [movement({ type: 'TRANSFER_IN', reference: newId() })],
  ],
  ['every level belongs to an item of its shop', 'warehouse', ['delete from stock_item']],
  [
    'the total of an order is the sum of its lines',
    'order',
    ['update customer_order set total_amount = 1'],
  ],
  [
    'the status of an order follows from its shop orders',
    'order',
    [`update shop_order set status = 'SHIPPED'`],
  ],
  [
    'purchased units of a sku are the sum of the units that are not cancelled',
    'order',
    ['update purchase set units = units + 1'],
  ],
  [
    'units of an offer in carts are the sum over the counted carts',
    'order',
    ['update units_in_carts set units = units + 1'],
  ],
  [
    'an order whose stock was held, or that is paid for, has a number',
    'order',
    [
      'alter table customer_order drop constraint customer_order_held',
      'alter table customer_order disable trigger number_is_final',
      'update customer_order set number = null, expires_at = now()',
    ],
  ],
  [
    'an order whose stock was held, or that is paid for, has a number',
    'order',
    [
      'alter table customer_order disable trigger number_is_final',
      'update customer_order set number = null',
      `insert into payment (id, order_id, customer_id, amount, status, failure, provider)
       select '${newId()}', id, customer_id, 20, 'FAILED', 'DECLINED', 'sandbox' from customer_order`,
    ],
  ],
  [
    'a paid order has one completed payment of its total, a pending one none',
    'order',
    [`update customer_order set status = 'CONFIRMED'`],
  ],
  [
    'a paid order has one completed payment of its total, a pending one none',
    'order',
    [
      `update customer_order set status = 'CONFIRMED'`,
      `insert into payment (id, order_id, customer_id, amount, status, provider)
       select '${newId()}', id, customer_id, total_amount, 'REFUNDED', 'sandbox' from customer_order`,
    ],
  ],
  [
    'a shop order is hidden from its shop only if its order ended unpaid',
    'order',
    ['update shop_order set never_paid = true'],
  ],
  [
    'every acknowledged checkout has an order, and every refusal was correct',
    'order',
    [
      'alter table customer_order disable trigger number_is_final',
      'update customer_order set number = null',
      `insert into idempotency_key (user_id, operation, key, fingerprint, subject_id, outcome, claimed_until)
       select '${newId()}', 'checkout', 'k', '', id, '{"kind": "placed"}', now() from customer_order`,
    ],
  ],
  [
    'every acknowledged checkout has an order, and every refusal was correct',
    'order',
    [
      `insert into idempotency_key (user_id, operation, key, fingerprint, subject_id, outcome, claimed_until)
       values ('${newId()}', 'checkout', 'k', '', '${newId()}', '{"kind": "placed"}', now())`,
    ],
  ],
  [
    'every acknowledged checkout has an order, and every refusal was correct',
    'order',
    [
      `insert into idempotency_key (user_id, operation, key, fingerprint, subject_id, outcome, claimed_until)
       values ('${newId()}', 'checkout', 'k', '', '${newId()}',
         '{"kind": "short", "lines": [{"requested": 2, "available": 2}]}', now())`,
    ],
  ],
  [
    'every acknowledged checkout has an order, and every refusal was correct',
    'order',
    [
      `insert into idempotency_key (user_id, operation, key, fingerprint, subject_id, outcome, claimed_until)
       select '${newId()}', 'checkout', 'k', '', id, '{"kind": "short", "lines": []}', now()
       from customer_order`,
    ],
  ],
  [
    'payments of a cancelled order failed, were voided or are refunded in full',
    'order',
    [
      `update customer_order set status = 'CANCELLED', cancel_reason = 'BY_CUSTOMER'`,
      `insert into payment (id, order_id, customer_id, amount, status, provider)
       select '${newId()}', id, customer_id, 20, 'AUTHORIZED', 'sandbox' from customer_order`,
    ],
  ],
  [
    'refunds do not exceed their payment, and equal it once it is REFUNDED',
    'order',
    [
      `insert into payment (id, order_id, customer_id, amount, status, provider)
       select '${refunded}', id, customer_id, 20, 'COMPLETED', 'sandbox' from customer_order`,
      `insert into refund (customer_id, id, payment_id, amount, reason)
       select customer_id, '${newId()}', '${refunded}', 20.01, 'BY_SHOP' from customer_order`,
    ],
  ],
  [
    'refunds do not exceed their payment, and equal it once it is REFUNDED',
    'order',
    [
      `insert into payment (id, order_id, customer_id, amount, status, provider)
       select '${refunded}', id, customer_id, 20, 'REFUNDED', 'sandbox' from customer_order`,
      `insert into refund (customer_id, id, payment_id, amount, reason)
       select customer_id, '${newId()}', '${refunded}', 20, 'BY_SHOP' from customer_order`,
    ],
  ],
  [
    'the price of cancelled units is refunded',
    'order',
    [
      `insert into payment (id, order_id, customer_id, amount, status, provider)
       select '${newId()}', id, customer_id, 20, 'COMPLETED', 'sandbox' from customer_order`,
      'update order_item set cancelled_quantity = 1',
    ],
  ],
  [
    'a paid shop order is CANCELLED once none of its units is left',
    'order',
    [`update shop_order set status = 'CONFIRMED'`, 'update order_item set cancelled_quantity = 2'],
  ],
  [
    'the refunds of a shop order do not exceed its price',
    'order',
    [
      `insert into payment (id, order_id, customer_id, amount, status, provider)
       select '${refunded}', id, customer_id, 30, 'COMPLETED', 'sandbox' from customer_order`,
      `insert into refund (customer_id, id, payment_id, shop_order_id, amount, reason)
       select customer_id, '${newId()}', '${refunded}', id, 20.01, 'BY_SHOP' from shop_order`,
    ],
  ],
  ['the price of a unit is refunded once', 'order', refundOfLines('19.00', 3)],
  ['a refund of lines does not exceed their price', 'order', refundOfLines('10.01', 1)],
  [
    'every shop and every offer has a currency that can be charged',
    'shop',
    [`update shop set currency_code = 'ZZZ' where id = '${seedId('shop', 0)}'`],
  ],
  [
    'every shop and every offer has a currency that can be charged',
    'shop',
    [`update offer set currency_code = 'ZZZ' where id = '${offer}'`],
  ],
  ...[
    'price_amount = 100.50, compare_at_amount = null',
    'price_amount = 100, compare_at_amount = 100.50',
  ].map(
    (prices): Break => [
      'every price for sale can be charged in its currency',
      'shop',
      [
        `update offer set currency_code = 'JPY', ${prices}
         where id = '${offer}'`,
      ],
    ],
  ),
  [
    'every amount of an order can be charged in its currency',
    'order',
    [
      `update customer_order set currency_code = 'JPY'`,
      `update order_item set currency_code = 'JPY', unit_price_amount = 10.50`,
    ],
  ],
  [
    'every amount of an order can be charged in its currency',
    'order',
    [
      `insert into payment (id, order_id, customer_id, amount, currency_code, status, provider)
       select '${refunded}', id, customer_id, 20, 'UGX', 'COMPLETED', 'sandbox' from customer_order`,
      `insert into refund (customer_id, id, payment_id, amount, reason)
       select customer_id, '${newId()}', '${refunded}', 0.50, 'BY_SHOP' from customer_order`,
    ],
  ],
  [
    'every amount in a cart can be charged in its currency',
    'order',
    [`update cart_item set currency_code = 'ISK', unit_price_amount = 0.50`],
  ],
  ...(['product', 'shop', 'warehouse', 'order'] as const).map(
    (name): Break => [
      `the outbox of the ${name} subgraph is empty, without dead letters`,
      name,
      [
        `insert into outbox (id, consumer, topic, key, version, payload, dead_at)
         values ('${newId()}', 'order', 't', 'k', 1, '{}', now())`,
      ],
    ],
  ),
  [
    'the listings of product match shop and warehouse',
    'product',
    ['update offer_listing set in_stock = not in_stock'],
  ],
  [
    'the names of offers match their products and variants',
    'product',
    [`update product set name = 'Renamed'`],
  ],
  [
    'the price summaries of products match their listings',
    'product',
    ['update listed_price set lowest_in_stock = null'],
  ],
  [
    'a user with addresses has exactly one default address',
    'user',
    [
      `insert into address (id, user_id, city) select id, id, 'Springfield' from user_account limit 1`,
    ],
  ],
  ['the status of an order matches its reservation', 'order', ['select 1']],
  [
    'every HELD or COMMITTED reservation belongs to an order',
    'warehouse',
    [
      `insert into reservation (order_id, state, expires_at)
       values ('${newId()}', 'HELD', now() + interval '1 hour')`,
    ],
  ],
];

/** An order of 2 units, and a cart. @param shopId the shop of its one part */
const placed = (order: string, shopId = order) => [
  `insert into customer_order (id, customer_id, total_amount, currency_code, shipping_address, number)
       values ('${order}', '${order}', 20, 'USD', '{}', 'H00000001')`,
  `insert into shop_order (customer_id, id, order_id, shop_id)
       values ('${order}', '${order}', '${order}', '${shopId}')`,
  `insert into order_item
         (customer_id, id, shop_order_id, offer_id, sku, name, unit_price_amount, currency_code, quantity)
       values ('${order}', '${order}', '${order}', '${offer}', 'S', 'S', 10, 'USD', 2)`,
  `insert into purchase (customer_id, shop_id, sku, units)
       select customer_id, '${shopId}', 'S', 2 from customer_order`,
  `insert into cart (customer_id, shard, counted) values ('${order}', 0, true)`,
  `insert into cart_item (customer_id, offer_id, id, name, unit_price_amount, currency_code, quantity)
       values ('${order}', '${offer}', '${order}', 'S', 10, 'USD', 1)`,
  `insert into units_in_carts (offer_id, shard, units) values ('${offer}', 0, 1)`,
];

/** A refund of units of the line, which has 2 at 10.00. */
function refundOfLines(amount: string, quantity: number): string[] {
  return [
    `insert into payment (id, order_id, customer_id, amount, status, provider)
     select '${refunded}', id, customer_id, 20, 'COMPLETED', 'sandbox' from customer_order`,
    `with made as (
       insert into refund (customer_id, id, payment_id, shop_order_id, amount, reason)
       select customer_id, '${newId()}', '${refunded}', id, ${amount}, 'BY_SHOP' from shop_order returning id
     )
     insert into refund_line (customer_id, refund_id, order_item_id, quantity)
     select i.customer_id, made.id, i.id, ${quantity} from made, order_item i`,
  ];
}

describe('npm run verify', () => {
  let databases: { urls: DatabaseUrls; drop(): Promise<void> };
  beforeEach(async () => {
    databases = await createAllTestDatabases();
    await seedStore(databases.urls);
  });
  afterEach(() => databases.drop());

  async function connected(name: SubgraphName) {
    const client = new pg.Client({ connectionString: databases.urls[name] });
    await client.connect();
    return client;
  }

  async function run(name: SubgraphName, statements: string[]) {
    const client = await connected(name);
    for (const statement of statements) await client.query(statement);
    await client.end();
  }

  it('finds nothing in a seeded store, and reports the number of checked rows', async () => {
    const verdicts = await verify(databases.urls, 0);
    expect(isBroken(verdicts)).toBe(false);
    expect(verdicts).toHaveLength(invariants.length);
    expect(verdicts[0]?.rows).toBeGreaterThan(100);
    expect(report(verdicts)).toContain('holds ');
  });

  it.each(breaks)('finds a violation of: %s', async (name, database, statements) => {
    await run('order', placed(newId()));
    await run(database, statements);
    const verdicts = await verify(databases.urls, 0);
    const broken = verdicts.filter(({ offending }) => offending.length > 0);
    expect(broken.map((verdict) => verdict.name)).toContain(name);
    expect(report(verdicts)).toContain('BROKEN');
  });

  it.each([
    ['shipped', `status = 'SHIPPED'`, '', 0],
    ['cancelled', `status = 'CANCELLED'`, `, cancel_reason = 'BY_SHOP'`, 2],
  ])(
    'finds a paid order of whose units too few are %s in the warehouse',
    async (as, set, why, cancelled) => {
      const name = 'the status of an order matches its reservation';
      const offending = async () =>
        (await verify(databases.urls, 0)).find((verdict) => verdict.name === name)?.offending;
      const order = newId();
      const warehouse = await connected('warehouse');
      const { rows } = await warehouse.query('select shop_id from stock_level where id = $1', [
        level,
      ]);
      await run('order', [
        ...placed(order, rows[0].shop_id),
        `update shop_order set ${set}`,
        `update order_item set cancelled_quantity = ${cancelled}`,
        `update customer_order set ${set}${why}`,
      ]);
      await warehouse.query(
        `with paid as (insert into reservation (order_id, state, expires_at, payment_id)
         values ('${order}', 'COMMITTED', now(), '${newId()}') returning order_id)
       insert into reservation_line (order_id, shop_id, level_id, quantity, ${as})
       select order_id, shop_id, id, 2, 2 from paid, stock_level where id = '${level}'`,
      );
      expect(await offending()).toEqual([]);
      await warehouse.query(`update reservation_line set ${as} = 1`);
      await warehouse.end();
      expect(await offending()).toMatchObject([
        { id: order, reservation: { [as]: expect.anything() } },
      ]);
    },
  );

  it('is tested with a violation of each invariant', () => {
    expect(new Set(breaks.map(([name]) => name))).toEqual(
      new Set(invariants.map(({ name }) => name)),
    );
  });

  it('finds nothing after the projections are rebuilt', async () => {
    await run('product', [
      'update offer_listing set in_stock = false, price_amount = 0.01 where sku < $$M$$',
      'delete from offer_listing where sku >= $$M$$',
      'delete from listed_price',
    ]);
    await run('shop', [`update offer set name = 'Something else' where sku < 'M'`]);
    expect(isBroken(await verify(databases.urls, 0))).toBe(true);
    expect(await rebuildProjections(databases.urls)).toBeGreaterThan(50);
    expect(isBroken(await verify(databases.urls, 0))).toBe(false);
  });

  it('keeps an offer that is listed while the projections are rebuilt', async () => {
    const [shopId, offerId] = [newId(), newId()];
    const [locker, observer] = await Promise.all([connected('product'), connected('product')]);
    const { rows } = await observer.query(
      'select sku, product_id from product_variant order by product_id desc limit 1',
    );
    const { sku, product_id: productId } = rows[0];
    // The rebuild has read the offers of shop, and waits for the lock on the first product.
    await locker.query('begin');
    await locker.query('select from product order by id limit 1 for update');
    const rebuilt = rebuildProjections(databases.urls);
    await someoneWaits(observer);
    await run('shop', [
      `insert into shop (id, name, slug, owner_id)
       values ('${shopId}', 'Late', 'late', '${newId()}')`,
      `insert into offer (id, shop_id, sku, name, price_amount, currency_code)
       select '${offerId}', '${shopId}', sku, name, 0.5, 'USD' from offer where sku = '${sku}' limit 1`,
    ]);
    await observer.query(
      `insert into offer_listing (shop_id, sku, product_id, offer_id, price_amount, currency_code,
         active, offer_version) values ($1, $2, $3, $4, 0.5, 'USD', true, 1)`,
      [shopId, sku, productId, offerId],
    );
    await locker.query('commit');
    await rebuilt;
    const { rowCount } = await observer.query('select from offer_listing where offer_id = $1', [
      offerId,
    ]);
    await Promise.all([locker.end(), observer.end()]);
    expect(rowCount).toBe(1);
    expect(isBroken(await verify(databases.urls, 0))).toBe(false);
  });
});
