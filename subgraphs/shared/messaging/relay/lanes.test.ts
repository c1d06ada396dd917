import { createTestDatabases } from '../../../../tests/harness/databases.js';
import { logger } from '../../../../tests/harness/stock-engine.js';
import { eventually } from '../../../../tests/harness/wait.js';
import { type EventMessage, event } from '../../../contracts/events.js';
import { databaseSchema } from '../../../warehouse/mikro-orm.config.js';
import { connect } from '../../database/connect.js';
import { sql } from '../../database/sql.js';
import { tryAgain, UpstreamFault } from '../../errors.js';
import type { ServiceClient } from '../../http/service-client.js';
import { newId } from '../../ids.js';
import { Registry } from '../../observability/metrics.js';
import { enqueue } from '../outbox.js';
import { relayOnce, startRelay } from './start-relay.js';

interface Sent {
  readonly id: string;
  readonly topic: string;
  readonly key: string;
  readonly version: number;
}

const shopOrder = { orderId: newId(), shopId: newId(), lines: [{ sku: 'A', quantity: 1 }] };
/** Of `each`: a cancellation and a shipment of one shop order. */
const cancelled = (shopOrderId: string) =>
  event('order.units.cancelled', {
    ...{ ...shopOrder, shopOrderId, cancellationId: newId() },
    reason: 'OTHER',
  });
const shipped = (shopOrderId: string) => {
  const shippedAt = new Date().toISOString();
  return event('order.units.shipped', {
    ...{ ...shopOrder, shopOrderId, shipmentId: newId(), shippedAt },
  });
};
/** Of `latest`. */
const stock = (sku: string, version: number) => {
  const payload = { shopId: shopOrder.shopId, sku, inStock: version % 2 === 1 };
  return event('warehouse.stock.changed', payload, version);
};

/** Of both kinds, for shop. */
const removed = () => event('product.variant.removed', { sku: newId() });
const renamed = (sku: string) => event('product.variant.renamed', { sku, name: 'A' });

describe('the lanes of an outbox', () => {
  let database: { drop(): Promise<void> };
  let orm: Awaited<ReturnType<typeof connect>>;
  let databaseUrl: string;
  beforeAll(async () => {
    const made = await createTestDatabases(['warehouse']);
    database = made;
    databaseUrl = made.urls.warehouse;
    orm = await connect({ name: 'test', url: databaseUrl, poolMax: 8 }, databaseSchema);
  });
  afterEach(() => sql(orm.em.fork(), 'delete from outbox'));
  afterAll(async () => {
    await orm.close();
    await database.drop();
  });

  const query = <T>(text: string, values: unknown[] = []) => sql<T>(orm.em.fork(), text, values);
  const write = (...messages: EventMessage[]) => enqueue(orm.em.fork(), messages);
  const allDue = () => query('update outbox set next_attempt_at = now() where sent_at is null');

  /** A consumer that accepts what `accepts` says, and records what it was sent. */
  function consumer(accepts: (sent: Sent) => boolean = () => true) {
    const batches: Sent[][] = [];
    const client: ServiceClient = {
      callEach: async () => [],
      async call(call, variables) {
        const { events } = variables as { events: Sent[] };
        batches.push(events);
        return call.answer.parse(events.filter(accepts).map(({ id }) => id));
      },
      close: async () => {},
    };
    const topics = () => batches.flat().map(({ topic }) => topic.split('.').at(-1));
    return { client, batches, topics, sent: () => batches.flat() };
  }
  /** A consumer that accepts connections and never answers, until `fail`. */
  function hanging() {
    let calls = 0;
    let fail = () => {};
    const answer = new Promise<never>((_, reject) => {
      fail = () => reject(tryAgain('Service temporarily unavailable.'));
    });
    answer.catch(() => {});
    const client: ServiceClient = {
      callEach: async () => [],
      call() {
        calls += 1;
        return answer;
      },
      close: async () => {},
    };
    return { client, calls: () => calls, fail: () => fail() };
  }
  const parts = (consumers: Record<string, ServiceClient>) => {
    return { em: orm.em, databaseUrl, consumers, registry: new Registry(), logger };
  };
  const unsent = () =>
    query<{ topic: string; rejections: number; dead: boolean; waits: boolean }>(
      `select topic, rejections, dead_at is not null as dead, next_attempt_at > now() as waits
       from outbox where sent_at is null order by position`,
    );

  it('deliver to a consumer while another one accepts events and never answers', async () => {
    const warehouse = hanging();
    const product = consumer();
    await write(...Array.from({ length: 250 }, () => shipped(newId())));
    const relay = startRelay(parts({ warehouse: warehouse.client, product: product.client }));
    await eventually(
      async () => warehouse.calls(),
      (calls) => calls > 0,
    );
    for (let n = 0; n < 5; n++) {
      await write(stock(`SKU-${n}`, 1));
      await eventually(
        async () => product.sent().length,
        (count) => count === n + 1,
      );
    }
    expect(warehouse.calls()).toBe(1);
    expect(await unsent()).toHaveLength(250);
    warehouse.fail();
    await relay.stop();
  });

  it('pause after a consumer was not reached, with all of its other events', async () => {
    let calls = 0;
    const client: ServiceClient = {
      callEach: async () => [],
      call() {
        calls += 1;
        return Promise.reject(tryAgain('Service temporarily unavailable.'));
      },
      close: async () => {},
    };
    await write(...Array.from({ length: 250 }, () => shipped(newId())));
    const relay = startRelay({ ...parts({ warehouse: client }), pollMs: 600_000 });
    await eventually(unsent, (all) => all.filter(({ waits }) => waits).length === 100);
    await write(shipped(newId()));
    await relay.stop();
    expect(calls).toBe(1);
    expect((await unsent()).filter(({ rejections }) => rejections > 0)).toEqual([]);
  });

  it('deliver `each` while a batch of `latest` to the same consumer is not answered', async () => {
    const shop = consumer();
    const stuck = hanging();
    const client: ServiceClient = {
      ...shop.client,
      call(call, variables, options) {
        const [first] = (variables as unknown as { events: Sent[] }).events;
        const isLatest = first?.topic === 'product.variant.renamed';
        return (isLatest ? stuck.client : shop.client).call(call, variables, options);
      },
    };
    await write(...Array.from({ length: 250 }, () => renamed(newId())));
    const relay = startRelay(parts({ shop: client }));
    await eventually(
      async () => stuck.calls(),
      (calls) => calls === 1,
    );
    await write(removed());
    await eventually(
      async () => shop.topics(),
      (topics) => topics.length === 1,
    );
    expect(shop.topics()).toEqual(['removed']);
    stuck.fail();
    await relay.stop();
  });

  it('deliver all that is due of `each` before a batch of `latest` begins', async () => {
    const shop = consumer();
    const each = Array.from({ length: 150 }, removed);
    await write(renamed('SKU'), ...each);
    const relay = startRelay(parts({ shop: shop.client }));
    await eventually(unsent, ({ length }) => length === 0);
    await relay.stop();
    expect(shop.topics()).toEqual([...each.map(() => 'removed'), 'renamed']);
  });

  it('deliver what an earlier version wrote to a lane that is not used any more', async () => {
    const product = consumer();
    await write({ ...stock('A', 1), delivery: 'each' });
    const relay = startRelay(parts({ product: product.client }));
    await eventually(unsent, ({ length }) => length === 0);
    await write({ ...stock('A', 2), delivery: 'each' });
    await eventually(unsent, ({ length }) => length === 0);
    await relay.stop();
    expect(product.sent().map(({ version }) => version)).toEqual([1, 2]);
  });

  it('send the newest of a key of `latest` in the place of the oldest, and the others never', async () => {
    const product = consumer();
    await write(stock('A', 1), stock('B', 1), stock('A', 2));
    // Beyond the batch.
    await write(...Array.from({ length: 120 }, (_, n) => stock(`SKU-${n}`, 1)));
    await write(stock('A', 3));
    await relayOnce(parts({ product: product.client }));
    const ofKeys = product.sent().map(({ key, version }) => `${key.split(':')[1]} ${version}`);
    expect(ofKeys).toContain('A 3');
    expect(ofKeys).toContain('B 1');
    expect(ofKeys).toHaveLength(99);
    await relayOnce(parts({ product: product.client }));
    expect(await unsent()).toEqual([]);
    expect(product.sent().filter(({ key }) => key.endsWith(':A'))).toHaveLength(1);
    expect(product.sent()).toHaveLength(122);
  });

  it('send a key of `latest` whose newest event backs off only when that is due', async () => {
    const product = consumer(({ version }) => version !== 2);
    await write(stock('A', 2));
    await relayOnce(parts({ product: product.client }));
    expect(await unsent()).toMatchObject([{ rejections: 1, waits: true }]);
    await query(
      `insert into outbox (id, consumer, delivery, topic, key, version, payload)
       select uuidv7(), consumer, delivery, topic, key, 3, payload from outbox`,
    );
    await relayOnce(parts({ product: product.client }));
    expect(product.sent().map(({ version }) => version)).toEqual([2, 3]);
    await allDue();
    await relayOnce(parts({ product: product.client }));
    // An older one is still sent if it is all there is; its consumer ignores it.
    expect(product.sent().map(({ version }) => version)).toEqual([2, 3, 2]);
  });

  it('send all of a key of `each`, in order, also over several batches and relays', async () => {
    const warehouse = consumer();
    const keys = Array.from({ length: 30 }, () => newId());
    const messages = Array.from({ length: 12 }, (_, n) =>
      keys.map((key) => (n % 2 === 0 ? cancelled(key) : shipped(key))),
    ).flat();
    await write(...messages);
    const relays = [1, 2, 3].map(() => startRelay(parts({ warehouse: warehouse.client })));
    await eventually(unsent, ({ length }) => length === 0);
    await Promise.all(relays.map((relay) => relay.stop()));
    expect(warehouse.sent()).toHaveLength(messages.length);
    for (const key of keys) {
      const written = messages.filter((each) => each.key === key).map(({ id }) => id);
      expect(
        warehouse
          .sent()
          .filter((each) => each.key === key)
          .map(({ id }) => id),
      ).toEqual(written);
    }
  });

  it('do not send a later event of `each` while another relay delivers an earlier one', async () => {
    const [slow, other] = [hanging(), consumer()];
    const key = newId();
    await write(cancelled(key));
    const first = relayOnce(parts({ warehouse: slow.client }));
    await eventually(
      async () => slow.calls(),
      (calls) => calls === 1,
    );
    await write(shipped(key), shipped(newId()));
    await relayOnce(parts({ warehouse: other.client }));
    expect(other.sent()).toHaveLength(1);
    expect(other.sent()[0]?.key).not.toBe(key);
    slow.fail();
    await first;
    await allDue();
    await relayOnce(parts({ warehouse: other.client }));
    expect(other.topics()).toEqual(['shipped', 'cancelled', 'shipped']);
  });

  it.each(['refuses', 'fails on'])(
    'stop the key of an event that its consumer %s, and no other',
    async (how) => {
      const [key, otherKey] = [newId(), newId()];
      const [first, second, third] = [cancelled(key), shipped(key), cancelled(key)];
      const warehouse = consumer(({ id }) => id !== first.id);
      const broken: ServiceClient = {
        ...warehouse.client,
        async call(call, variables, options) {
          const { events } = variables as unknown as { events: Sent[] };
          const isHit = how === 'fails on' && events.some(({ id }) => id === first.id);
          if (isHit) throw new UpstreamFault('internal error', 'INTERNAL_SERVER_ERROR');
          return warehouse.client.call(call, variables, options);
        },
      };
      // As an inbox: what follows a refused one of its key is not applied.
      const inbox: ServiceClient = {
        ...broken,
        async call(call, variables, options) {
          const accepted = await broken.call(call, variables, options);
          const { events } = variables as unknown as { events: Sent[] };
          const isHit = events.some(({ id }) => id === first.id);
          const ofOthers = events.filter((each) => each.key !== key).map(({ id }) => id);
          return isHit ? call.answer.parse(ofOthers) : accepted;
        },
      };
      await write(first, second, cancelled(otherKey), third, shipped(otherKey));
      for (let n = 0; n < 19; n++) {
        await relayOnce(parts({ warehouse: inbox }));
        await allDue();
      }
      const waiting = { rejections: 0, dead: false };
      expect(await unsent()).toMatchObject([{ rejections: 19, dead: false }, waiting, waiting]);
      await relayOnce(parts({ warehouse: inbox }));
      await allDue();
      expect(await relayOnce(parts({ warehouse: inbox }))).toBe(0);
      expect(await unsent()).toMatchObject([{ rejections: 20, dead: true }, waiting, waiting]);
      await write(shipped(otherKey));
      expect(await relayOnce(parts({ warehouse: inbox }))).toBe(1);

      // Discarded, as the runbook says.
      await query('update outbox set sent_at = now(), updated_at = now() where id = $1', [
        first.id,
      ]);
      await allDue();
      await relayOnce(parts({ warehouse: warehouse.client }));
      expect(await unsent()).toEqual([]);
      expect(
        warehouse
          .sent()
          .filter((each) => each.key === key)
          .slice(-2),
      ).toMatchObject([{ id: second.id }, { id: third.id }]);
    },
  );

  it('replace a dead letter of `latest` by a newer event once that is accepted', async () => {
    const product = consumer(({ version }) => version > 2);
    await write(stock('A', 1));
    await query('update outbox set rejections = 19');
    await relayOnce(parts({ product: product.client }));
    expect(await unsent()).toMatchObject([{ dead: true }]);
    await write(stock('A', 2));
    await relayOnce(parts({ product: product.client }));
    expect(await unsent()).toMatchObject([{ dead: true }, { dead: false, rejections: 1 }]);
    await write(stock('A', 3));
    await relayOnce(parts({ product: product.client }));
    await allDue();
    await relayOnce(parts({ product: product.client }));
    expect((await unsent()).filter(({ dead }) => dead)).toEqual([]);
  });

  it('send nothing of a batch after a delivery whose outcome is unknown', async () => {
    const key = newId();
    const poison = shipped(newId());
    const posted: string[][] = [];
    const client: ServiceClient = {
      callEach: async () => [],
      async call(_call, variables) {
        const { events } = variables as unknown as { events: Sent[] };
        posted.push(events.map(({ id }) => id));
        if (events.some(({ id }) => id === poison.id)) {
          throw new UpstreamFault('internal error', 'INTERNAL_SERVER_ERROR');
        }
        throw tryAgain('Service temporarily unavailable.');
      },
      close: async () => {},
    };
    const [first, second] = [cancelled(key), shipped(key)];
    await write(first, second, poison);
    await relayOnce(parts({ warehouse: client }));
    expect(posted).toEqual([
      [first.id, second.id, poison.id],
      [first.id, second.id],
    ]);
    expect(await unsent()).toMatchObject([{ waits: true }, { waits: true }, { waits: true }]);
  });
});
