import { attachAgainSql } from '../../../tests/harness/attach-again.js';
import { logger, openStock, stockUp, type TestStock } from '../../../tests/harness/stock-engine.js';
import { keepPartitions, readMonths } from '../../shared/database/partitions/keep-partitions.js';
import { addMonths, firstDayOf, monthOf } from '../../shared/database/partitions/month.js';
import { pageInShard } from '../../shared/graphql/load-pages.js';
import { lowestIdAt } from '../../shared/ids.js';
import type { StockEngine } from '../reservation/engine.js';
import { ledgerPartitions } from './ledger-checkpoint.js';
import { loadMovements } from './load-movements.js';
import { movementId } from './movement-id.js';
import { recentIdAt, stockAt, stockAtSql } from './stock-at.js';

const thisMonth = monthOf(new Date());
/** The 15th of a month, some months ago. */
const monthsAgo = (count: number) =>
  new Date(firstDayOf(addMonths(thisMonth, -count)).getTime() + 14 * 86_400_000);

describe('the ledger in monthly partitions', () => {
  let stock: TestStock;
  let engine: StockEngine;
  beforeEach(async () => {
    stock = await openStock();
    engine = await stock.engine();
  });
  afterEach(() => stock.close());

  const keep = (keepMonths: number) =>
    keepPartitions({ databaseUrl: stock.url, logger }, [ledgerPartitions(keepMonths)]);
  const attached = () =>
    readMonths(
      {
        query: async (text: string, values: unknown[]) => ({
          rows: await stock.query(text, values),
        }),
      } as never,
      'stock_movement',
    );

  /** A level with a receipt of one unit at each of these times, as its ledger has them. */
  async function levelWith(times: readonly Date[]) {
    const { shopId, sku, warehouseIds } = await stockUp(engine, [1]);
    const [level] = await stock.query<{ id: string }>(
      'select id from stock_level where shop_id = $1',
      [shopId],
    );
    await stock.query('truncate stock_movement');
    const id = level?.id as string;
    const rows = times.map((at, n) => ({ id: movementId(at.getTime(), n + 1), seq: n + 1, at }));
    await stock.query(
      `insert into stock_movement (shop_id, level_id, id, seq, type, on_hand_delta, reserved_delta,
         on_hand, reserved, committed, unavailable, actor, created_at)
       select $1, $2, id, seq, 'RECEIPT', 1, 0, seq, 0, 0, 0, 'test', at
       from unnest($3::uuid[], $4::bigint[], $5::timestamptz[]) as m (id, seq, at)`,
      [shopId, id, rows.map((row) => row.id), rows.map(({ seq }) => seq), rows.map(({ at }) => at)],
    );
    await stock.query(
      'update stock_level set on_hand = $2::int, last_seq = $2::int where id = $1',
      [id, times.length],
    );
    const request = { shopId, sku, warehouseId: warehouseIds[0] as string };
    const at = async (time: Date) =>
      (await stockAt(engine.orm.em.fork(), { ...request, at: time })).onHand;
    return { ...request, id, rows, at };
  }
  const checkpoints = () => stock.query('select level_id, seq, id, on_hand from ledger_checkpoint');

  it('has partitions of this month and three more, by the migration, and none by default', async () => {
    expect(await attached()).toEqual([0, 1, 2, 3].map((n) => addMonths(thisMonth, n)));
    await stockUp(engine, [5]);
    const rows = await stock.query<{ name: string }>(
      'select tableoid::regclass::text as name from stock_movement',
    );
    expect(rows).toEqual([{ name: `stock_movement_${thisMonth.replace('-', '_')}` }]);
  });

  it('keeps the last movement of each level when a month is detached, and finds the units by it', async () => {
    const times = [14, 14, 9, 2].map(monthsAgo);
    const { id, rows, at } = await levelWith(times);
    await keep(24);
    expect(await attached()).toEqual([-14, -9, -2, 0, 1, 2, 3].map((n) => addMonths(thisMonth, n)));
    const all = async () => [
      await at(monthsAgo(15)).catch(String),
      await at(monthsAgo(14)).catch(String),
      await at(monthsAgo(11)).catch(String),
      await at(monthsAgo(9)).catch(String),
      await at(monthsAgo(3)).catch(String),
      await at(new Date()),
      await at(new Date('3000-01-01')),
    ];
    expect(await all()).toEqual([0, 2, 2, 3, 3, 4, 4]);
    await keep(12);
    expect(await checkpoints()).toEqual([{ level_id: id, seq: '2', id: rows[1]?.id, on_hand: 2 }]);
    const tooEarly = expect.stringContaining('The history of this level begins later');
    expect(await all()).toEqual([tooEarly, 2, 2, 3, 3, 4, 4]);
    await keep(1);
    await keep(1);
    expect(await checkpoints()).toEqual([{ level_id: id, seq: '4', id: rows[3]?.id, on_hand: 4 }]);
    expect(await all()).toEqual([...Array(5).fill(tooEarly), 4, 4]);
  });

  it('goes on from the month before once a month is attached again by the runbook', async () => {
    const { at, rows } = await levelWith([14, 14, 9, 2, 2, 0].map(monthsAgo));
    await keep(24);
    for (let n = 0; n < 3; n += 1) await keep(1);
    expect(await checkpoints()).toMatchObject([{ seq: '5', on_hand: 5 }]);
    const ofMonth = (count: number) => addMonths(thisMonth, -count);
    const attachAgain = (count: number) => stock.query(attachAgainSql(ofMonth(count)));
    await attachAgain(2);
    expect(await checkpoints()).toMatchObject([{ seq: '3', on_hand: 3 }]);
    expect(await at(monthsAgo(2))).toBe(5);
    await expect(at(monthsAgo(3))).rejects.toThrow('begins later');
    await attachAgain(9);
    expect(await checkpoints()).toMatchObject([{ seq: '2', on_hand: 2 }]);
    await keep(8);
    expect(await checkpoints()).toMatchObject([{ seq: '3', id: rows[2]?.id, on_hand: 3 }]);
    await attachAgain(9);
    await attachAgain(14);
    expect(await checkpoints()).toEqual([]);
    expect(await attached()).toEqual([-14, -9, -2, 0, 1, 2, 3].map((n) => ofMonth(-n)));
    expect([await at(monthsAgo(15)), await at(monthsAgo(14)), await at(new Date())]).toEqual([
      0, 2, 6,
    ]);
    for (const count of [14, 2]) {
      const partition = `stock_movement_${ofMonth(count).replace('-', '_')}`;
      await expect(stock.query(`delete from ${partition}`)).rejects.toThrow('append-only');
    }
  });

  it('is not changed, neither in the whole nor in a partition', async () => {
    await stockUp(engine, [5]);
    const partition = `stock_movement_${thisMonth.replace('-', '_')}`;
    for (const table of ['stock_movement', partition]) {
      for (const change of [`update ${table} set on_hand_delta = 0`, `delete from ${table}`]) {
        await expect(stock.query(change)).rejects.toThrow('append-only');
      }
    }
  });

  it('is referred to by no foreign key', async () => {
    expect(
      await stock.query(
        `select conname from pg_constraint join pg_partitioned_table on partrelid = confrelid`,
      ),
    ).toEqual([]);
  });

  it('is read in two partitions for the units at a time, the newer first, until a row is found', async () => {
    const { shopId, sku, warehouseId } = await levelWith([3, 2, 1, 0].map(monthsAgo));
    await keep(24);
    const now = new Date();
    const rows = await stock.query(`explain (analyze, costs off, timing off) ${stockAtSql}`, [
      shopId,
      sku,
      warehouseId,
      lowestIdAt(now.getTime() + 1),
      recentIdAt(now),
    ]);
    const plan = JSON.stringify(rows);
    const scanned = [...plan.matchAll(/on (stock_movement_\w+)[^(]*\((actual|never)/g)];
    const name = (count: number) =>
      `stock_movement_${addMonths(thisMonth, -count).replace('-', '_')}`;
    expect(scanned.map(([, table, how]) => [table, how])).toEqual([
      [name(0), 'actual'],
      [name(1), 'never'],
    ]);
    expect(plan).not.toMatch(/Seq Scan on stock_movement|Sort/);
  });

  it('is listed by level, newest first, by two months where these fill a page', async () => {
    const { shopId, id } = await levelWith([30, 20, 2, 1, 0, 0].map(monthsAgo));
    await keep(48);
    const statements: { sql: string; parameters: unknown[] }[] = [];
    const list = async (first: number, after?: string) => {
      const em = engine.orm.em.fork();
      const connection = em.getConnection().getClient();
      const noting = {
        executeQuery(query: never) {
          statements.push(query);
          return connection.executeQuery(query);
        },
      };
      em.getTransactionContext = () => noting as never;
      const page = pageInShard(shopId, id, { first, after: after ?? null });
      const [movements] = await loadMovements([page], { em });
      return movements?.edges.map(({ cursor, node }) => [cursor, node.seq]) ?? [];
    };
    expect((await list(2)).map(([, seq]) => seq)).toEqual([6, 5]);
    expect(statements).toHaveLength(1);
    const [{ sql, parameters } = { sql: '', parameters: [] }] = statements;
    const plan = JSON.stringify(await stock.query(`explain ${sql}`, parameters));
    const ofMonth = (count: number) => addMonths(thisMonth, count).replace('-', '_');
    expect([...plan.matchAll(/ on (stock_movement_\w+)/g)].map(([, table]) => table)).toEqual([
      ...[-1, 0, 1, 2, 3].map((count) => `stock_movement_${ofMonth(count)}`),
      'stock_movement_default',
    ]);
    const all = await list(10);
    expect(all.map(([, seq]) => seq)).toEqual([6, 5, 4, 3, 2, 1]);
    const next = await list(2, String(all[2]?.[0]));
    expect(next.map(([, seq]) => seq)).toEqual([3, 2]);
  });
});
