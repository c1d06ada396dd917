import { jest } from '@jest/globals';
import { createTestDatabases } from '../../../tests/harness/databases.js';
import { recordStatements } from '../../../tests/harness/record-statements.js';
import { logger } from '../../../tests/harness/stock-engine.js';
import { databaseSchema } from '../../warehouse/mikro-orm.config.js';
import { connect } from '../database/connect.js';
import { sql } from '../database/sql.js';
import { newId } from '../ids.js';
import type { InboxContext } from './apply-events.js';
import { createInboxResolver, type OutboxEvent } from './inbox.js';

let passTime = () => {};
const Inbox = createInboxResolver<InboxContext>('test', {
  // Not idempotent: each time it runs adds a row.
  'product.variant.removed': async (em, { key }, { sku }) => {
    if (sku === 'refused') throw new Error('not this one');
    if (sku === 'late') {
      await sql(em, `set local statement_timeout = 1`);
      await sql(em, 'select pg_sleep(1)');
    }
    if (sku === 'slow') passTime();
    await sql(em, 'insert into effect (key) values ($1)', [key]);
  },
  'shop.shop.created': async () => {},
});

const batches: string[][] = [];
const OfProduct = createInboxResolver<InboxContext>('test2', {
  'warehouse.stock.changed': {
    async applyAll(em, events) {
      batches.push(events.map(({ payload }) => payload.sku));
      for (const { payload } of events) {
        await sql(em, 'insert into effect (key) values ($1)', [payload.sku]);
        if (payload.sku.startsWith('refused')) throw new Error('not this one');
      }
    },
  },
});
const Ordered = createInboxResolver<InboxContext>('test3', {
  'order.units.shipped': async (em, { id, key }) => {
    if (id.endsWith('000000000bad')) throw new Error('not this one');
    await sql(em, 'insert into effect (key) values ($1)', [key]);
  },
  'order.units.cancelled': async (em, { key }) => {
    await sql(em, 'insert into effect (key) values ($1)', [key]);
  },
});

describe('the inbox', () => {
  let database: { drop(): Promise<void> };
  let orm: Awaited<ReturnType<typeof connect>>;
  beforeAll(async () => {
    const made = await createTestDatabases(['warehouse']);
    database = made;
    const settings = { name: 'test', url: made.urls.warehouse, poolMax: 5 };
    orm = await connect(settings, databaseSchema);
    await sql(orm.em.fork(), 'create table effect (key text)');
  });
  afterAll(async () => {
    await orm.close();
    await database.drop();
  });

  const event = (sku: string, fields: Partial<OutboxEvent> = {}): OutboxEvent => {
    const topic = 'product.variant.removed';
    const payload = JSON.stringify({ sku });
    return { id: newId(), topic, key: newId(), version: 1, payload, ...fields };
  };
  const deliver = (...events: OutboxEvent[]) => {
    const context = { em: orm.em.fork(), logger, caller: 'product', identity: null } as const;
    return new Inbox().deliver(events, context);
  };
  const effects = async ({ key }: OutboxEvent) =>
    (await sql(orm.em.fork(), 'select from effect where key = $1', [key])).length;

  it('applies an event once, however often and whenever it is sent', async () => {
    const once = event('counted');
    const answers = await Promise.all([deliver(once), deliver(once, once), deliver(once)]);
    expect(await deliver(once)).toEqual({ accepted: [once.id], refused: [] });
    expect(answers.flatMap(({ accepted }) => accepted)).toEqual(Array(4).fill(once.id));
    expect(await effects(once)).toBe(1);
  });

  it.each([
    ['refused', {}],
    ['late', {}],
    ['unknown', { topic: 'product.variant.painted' }],
    ['of another producer', { topic: 'shop.shop.created' }],
    ['without a part of its payload', { payload: '{}' }],
    ['with a part of another type', { payload: '{"sku":1}' }],
    ['no JSON', { payload: '{' }],
  ])('refuses an event that is %s, and applies the others', async (kind, fields) => {
    const [before, bad, after] = [event('counted'), event(kind, fields), event('counted')];
    const outcome = await deliver(before, bad, after);
    expect(outcome).toEqual({ accepted: [before.id, after.id], refused: [bad.id] });
    expect([await effects(before), await effects(after)]).toEqual([1, 1]);
    expect(await sql(orm.em.fork(), 'select from inbox where id = $1', [bad.id])).toEqual([]);
  });

  it('tries no further event after its time, and refuses none of these', async () => {
    const atMs = performance.now();
    const clock = jest.spyOn(performance, 'now').mockReturnValue(atMs);
    passTime = () => clock.mockReturnValue(atMs + 5001);
    const [first, slow] = [event('counted'), event('slow')];
    const later = [event('counted'), event('refused'), event('no JSON', { payload: '{' })];
    const outcome = await deliver(first, slow, ...later).finally(() => clock.mockRestore());
    expect(outcome).toEqual({ accepted: [first.id, slow.id], refused: [] });
    const again = await deliver(...later);
    expect(again).toEqual({ accepted: [later[0]?.id], refused: [later[1]?.id, later[2]?.id] });
  });

  describe('of a topic whose events are applied together', () => {
    const shopId = newId();
    const stock = (sku: string) =>
      event(sku, {
        topic: 'warehouse.stock.changed',
        payload: JSON.stringify({ shopId, sku, inStock: true }),
        key: sku,
      });
    const deliverStock = (...events: OutboxEvent[]) => {
      batches.length = 0;
      const caller = 'warehouse';
      return new OfProduct().deliver(events, { em: orm.em.fork(), logger, caller, identity: null });
    };
    const named = (name: string, count: number) =>
      Array.from({ length: count }, (_, n) => stock(`${name}-${n}-${newId()}`));

    it('applies them in one transaction, with a row for each', async () => {
      const events = named('a', 100);
      const ids = events.map(({ id }) => id);
      const { statements } = await recordStatements(() => deliverStock(...events));
      const counted = statements.filter(({ text }) => /^(commit|insert into inbox)/.test(text));
      expect(counted).toHaveLength(2);
      expect(batches).toEqual([events.map(({ key }) => key)]);
      for (const each of events) expect(await effects(each)).toBe(1);
      const inbox = await sql(orm.em.fork(), 'select from inbox where id = any($1)', [ids]);
      expect(inbox).toHaveLength(100);
    });

    it('applies an event once, also if it is twice in a delivery, or in another one', async () => {
      const [first, second, third] = named('b', 3) as [OutboxEvent, OutboxEvent, OutboxEvent];
      await deliverStock(first, second);
      const { accepted } = await deliverStock(second, third, third);
      expect(accepted).toEqual([second.id, third.id, third.id]);
      expect(batches).toEqual([[third.key]]);
      for (const each of [first, second, third]) expect(await effects(each)).toBe(1);
    });

    it('refuses only those that make a batch fail, with nothing of them left', async () => {
      const events = named('c', 20);
      const bad = [stock(`refused-${newId()}`), stock(`refused-${newId()}`)];
      events.splice(3, 0, bad[0] as OutboxEvent);
      events.splice(15, 0, bad[1] as OutboxEvent);
      const good = events.filter((each) => !bad.includes(each));
      const [accepted, refused] = [good, bad].map((each) => each.map(({ id }) => id));
      expect(await deliverStock(...events)).toEqual({ accepted, refused });
      for (const each of good) expect(await effects(each)).toBe(1);
      for (const each of bad) {
        expect(await effects(each)).toBe(0);
        expect(await sql(orm.em.fork(), 'select from inbox where id = $1', [each.id])).toEqual([]);
      }
    });
  });

  it('does not apply later events of `each` of a key after a refused one, over all topics', async () => {
    const [key, other] = [newId(), newId()];
    const units = (topic: 'shipped' | 'cancelled', key: string, id = newId()) => {
      const about = { orderId: newId(), shopOrderId: key, shopId: newId() };
      const rest =
        topic === 'shipped'
          ? { shipmentId: id, shippedAt: new Date().toISOString() }
          : { cancellationId: id, reason: 'OTHER' };
      const lines = [{ sku: 'A', quantity: 1 }];
      const payload = JSON.stringify({ ...about, ...rest, lines });
      return event('', { id, topic: `order.units.${topic}`, key, payload });
    };
    const bad = units('shipped', key, `${newId().slice(0, -12)}000000000bad`);
    const [before, after, late] = [
      units('cancelled', key),
      units('cancelled', key),
      units('shipped', key),
    ];
    const [beside, unread] = [
      units('shipped', other),
      { ...units('cancelled', other), payload: '{}' },
    ];
    const last = units('cancelled', other);
    const deliverUnits = (...events: OutboxEvent[]) =>
      new Ordered().deliver(events, { em: orm.em.fork(), logger, caller: 'order', identity: null });
    expect(await deliverUnits(before, bad, beside, after, late, unread, last)).toEqual({
      accepted: [before.id, beside.id],
      refused: [bad.id, unread.id],
    });
    expect([await effects(before), await effects(beside)]).toEqual([1, 1]);
    const { accepted } = await deliverUnits(after, late, last);
    expect(accepted).toEqual([after.id, late.id, last.id]);
  });
});
