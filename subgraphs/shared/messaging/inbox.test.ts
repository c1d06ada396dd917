import { createTestDatabases } from '../../../tests/harness/databases.js';
import { logger } from '../../../tests/harness/stock-engine.js';
import { databaseSchema } from '../../warehouse/mikro-orm.config.js';
import { connect } from '../database/connect.js';
import { sql } from '../database/sql.js';
import { newId } from '../ids.js';
import { createInboxResolver, type InboxContext, type OutboxEvent } from './inbox.js';

const Inbox = createInboxResolver<InboxContext>('test', {
  // Not idempotent: each time it runs adds a row.
  'product.variant.removed': async (em, { key }, { sku }) => {
    if (sku === 'refused') throw new Error('not this one');
    if (sku === 'late') {
      await sql(em, `set local statement_timeout = 1`);
      await sql(em, 'select pg_sleep(1)');
    }
    await sql(em, 'insert into effect (key) values ($1)', [key]);
  },
  'shop.shop.created': async () => {},
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
    expect(await deliver(once)).toEqual([once.id]);
    expect(answers.flat()).toEqual([once.id, once.id, once.id, once.id]);
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
    expect(await deliver(before, bad, after)).toEqual([before.id, after.id]);
    expect([await effects(before), await effects(after)]).toEqual([1, 1]);
    expect(await sql(orm.em.fork(), 'select from inbox where id = $1', [bad.id])).toEqual([]);
  });
});
