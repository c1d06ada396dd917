import type { RequiredEntityData } from '@mikro-orm/core';
import { createTestDatabases } from '../../../tests/harness/databases.js';
import { databaseSchema } from '../../warehouse/mikro-orm.config.js';
import { Reservation } from '../../warehouse/reservation/reservation.js';
import { OutboxEntry } from '../messaging/outbox.js';
import { connect } from './connect.js';
import { insertRows } from './insert-rows.js';

const id = (n: number) => `00000000-0000-7000-8000-00000000000${n}`;
const plain = { id: id(0), consumer: 'order', topic: 't', key: 'k', version: 1, payload: { a: 1 } };
type Row = Omit<typeof plain, 'payload'> & {
  readonly payload: object;
  readonly sentAt?: Date | null;
};

describe('rows that are inserted together', () => {
  let database: { drop(): Promise<void> };
  let orm: Awaited<ReturnType<typeof connect>>;
  beforeAll(async () => {
    const made = await createTestDatabases(['warehouse']);
    database = made;
    const settings = { name: 'test', url: made.urls.warehouse, poolMax: 1 };
    orm = await connect(settings, databaseSchema);
  });
  afterEach(() => orm.em.fork().nativeDelete(OutboxEntry, {}));
  afterAll(async () => {
    await orm.close();
    await database.drop();
  });

  const sentAt = (seconds: number) => new Date(Date.UTC(2026, 11, 12, 0, 0, seconds));
  const cases: Record<string, Row[]> = {
    'that differ in all columns': [
      { id: id(1), consumer: 'order', topic: 'a', key: '1', version: 1, payload: { a: [1] } },
      { id: id(2), consumer: 'shop', topic: 'b', key: '2', version: 2, payload: { a: [2] } },
    ],
    'that have most columns in common': [
      { ...plain, id: id(1), sentAt: sentAt(1) },
      { ...plain, id: id(2), sentAt: sentAt(1) },
    ],
    'some of them with a null': [
      { ...plain, id: id(1), sentAt: null },
      { ...plain, id: id(2), sentAt: sentAt(2) },
      { ...plain, id: id(3), sentAt: null },
    ],
    'all of them with a null': [
      { ...plain, id: id(1), sentAt: null },
      { ...plain, id: id(2), sentAt: null },
    ],
    'of which there is only one': [{ ...plain, sentAt: sentAt(5) }],
    'of which there are none': [],
  };

  it.each(Object.entries(cases))('%s are stored unchanged', async (_, rows) => {
    await insertRows(orm.em.fork(), OutboxEntry, rows as RequiredEntityData<OutboxEntry>[]);
    const found = await orm.em.fork().find(OutboxEntry, {}, { orderBy: { id: 'asc' } });
    expect(found).toMatchObject(rows);
    expect(found).toHaveLength(rows.length);
  });

  it.each([
    ['that differ', [[id(7), id(8)], []]],
    ['that are equal', [[id(7)], [id(7)]]],
  ])('with arrays %s are stored unchanged', async (_, lists) => {
    const rows = lists.map((shopIds, n) => {
      return { orderId: id(n), shopIds, state: 'RELEASED' as const, expiresAt: sentAt(n) };
    });
    await insertRows(orm.em.fork(), Reservation, rows);
    const found = await orm.em.fork().find(Reservation, {}, { orderBy: { orderId: 'asc' } });
    expect(found).toMatchObject(rows);
    await orm.em.fork().nativeDelete(Reservation, {});
  });

  it('that are equal are not merged into one', async () => {
    const rows = [plain, plain] as RequiredEntityData<OutboxEntry>[];
    await expect(insertRows(orm.em.fork(), OutboxEntry, rows)).rejects.toThrow('outbox_pkey');
  });
});
