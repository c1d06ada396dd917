import type { RequiredEntityData } from '@mikro-orm/core';
import { createTestDatabases } from '../../../tests/harness/databases.js';
import { recordStatements } from '../../../tests/harness/record-statements.js';
import { databaseSchema } from '../../warehouse/mikro-orm.config.js';
import { StockLevel } from '../../warehouse/stock/stock-level.js';
import { Warehouse } from '../../warehouse/warehouse/warehouse.js';
import { newId } from '../ids.js';
import { OutboxEntry } from '../messaging/outbox.js';
import { connect } from './connect.js';
import { insertRows } from './insert-rows.js';

const id = (n: number) => `00000000-0000-7000-8000-00000000000${n}`;
const newWarehouse = () => {
  return { id: newId(), shopId: newId(), name: 'Central', active: true, priority: 1 };
};
const at = (seconds: number) => new Date(Date.UTC(2026, 11, 12, 0, 0, seconds));

describe('a flush of several rows of one entity', () => {
  let database: { drop(): Promise<void> };
  let orm: Awaited<ReturnType<typeof connect>>;
  beforeAll(async () => {
    const made = await createTestDatabases(['warehouse']);
    database = made;
    orm = await connect({ name: 'test', url: made.urls.warehouse, poolMax: 1 }, databaseSchema);
  });
  beforeEach(async () => {
    const rows = [1, 2, 3].map((n) => {
      return { id: id(n), consumer: 'order', topic: 't', key: 'k', version: 1, payload: { n } };
    });
    await insertRows(orm.em.fork(), OutboxEntry, rows as RequiredEntityData<OutboxEntry>[]);
  });
  afterEach(() => orm.em.fork().nativeDelete(OutboxEntry, {}));
  afterAll(async () => {
    await orm.close();
    await database.drop();
  });

  const read = () => orm.em.fork().find(OutboxEntry, {}, { orderBy: { id: 'asc' } });
  /** Changes the rows by number, from 0. @returns the updates that were sent */
  async function change(change: (row: OutboxEntry, n: number) => void) {
    const em = orm.em.fork();
    const rows = await em.find(OutboxEntry, {}, { orderBy: { id: 'asc' } });
    rows.forEach(change);
    const { statements } = await recordStatements(() => em.flush());
    return statements.filter(({ text }) => text.startsWith('update'));
  }

  it('updates each row with its values, in one prepared statement with an array for each column', async () => {
    await change((row) => {
      row.sentAt = at(10);
    });
    const updates = await change((row, n) => {
      row.version = n + 10;
      row.topic = n === 1 ? `it's "quoted", {1}\\` : 'null';
      row.sentAt = n === 2 ? null : at(n);
    });
    expect(updates).toMatchObject([{ isPrepared: true, text: expect.stringContaining('unnest') }]);
    expect(await read()).toMatchObject(
      [0, 1, 2].map((n) => {
        return {
          version: n + 10,
          topic: n === 1 ? `it's "quoted", {1}\\` : 'null',
          sentAt: n === 2 ? null : at(n),
          key: 'k',
        };
      }),
    );
  });

  it('uses the same statement for another number of rows', async () => {
    const [three] = await change((row) => {
      row.version += 1;
    });
    const [two] = await change((row, n) => {
      if (n > 0) row.version += 1;
    });
    expect(two?.text).toBe(three?.text);
    expect((await read()).map(({ version }) => version)).toEqual([2, 3, 3]);
  });

  it('updates rows that change different columns, each only in its own', async () => {
    await change((row, n) => {
      if (n === 0) row.version = 5;
      if (n === 1) row.topic = 'changed';
      if (n === 2) row.sentAt = at(1);
    });
    expect(await read()).toMatchObject([
      { version: 5, topic: 't', sentAt: null },
      { version: 1, topic: 'changed', sentAt: null },
      { version: 1, topic: 't', sentAt: at(1) },
    ]);
  });

  it('updates JSON as MikroORM does', async () => {
    const payloads = [0, 1, 2].map((n) => ({ list: [n, 'é'], nothing: null }));
    await change((row, n) => {
      row.payload = payloads[n] as object;
    });
    expect((await read()).map(({ payload }) => payload)).toEqual(payloads);
  });

  it('reads back what the database computes', async () => {
    const em = orm.em.fork();
    const warehouse = em.create(Warehouse, newWarehouse());
    const { shopId, id: warehouseId } = warehouse;
    const rows = ['A', 'B'].map((sku) => ({ id: newId(), shopId, warehouseId, sku, lastSeq: 0 }));
    await em.persist(warehouse).flush();
    await insertRows(em, StockLevel, rows as RequiredEntityData<StockLevel>[]);
    const levels = await em.find(StockLevel, { shopId }, { orderBy: { sku: 'asc' } });
    levels.forEach((level, n) => {
      level.onHand = n === 0 ? 5 : 50;
    });
    await em.flush();
    expect(levels.map(({ isLowStock }) => isLowStock)).toEqual([true, false]);
  });

  it('refuses a text that is too long for its column, and does not cut it', async () => {
    const em = orm.em.fork();
    const warehouses = [1, 2].map(() => em.create(Warehouse, newWarehouse()));
    await em.persist(warehouses).flush();
    for (const warehouse of warehouses) warehouse.name = 'x'.repeat(1000);
    await expect(em.flush()).rejects.toThrow('value too long');
  });
});
