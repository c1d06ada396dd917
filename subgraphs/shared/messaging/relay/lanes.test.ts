import { jest } from '@jest/globals';
import {
  consumerOf,
  hangingConsumer,
  openOutbox,
  recordingConsumer,
  type Sent,
  shipped,
  stock,
  type TestOutbox,
  unreachable,
} from '../../../../tests/harness/outbox.js';
import { eventually } from '../../../../tests/harness/wait.js';
import { event } from '../../../contracts/events.js';
import type { ServiceClient } from '../../http/service-client.js';
import { newId } from '../../ids.js';
import { startRelay } from './start-relay.js';

/** Of both kinds, for shop. */
const removed = () => event('product.variant.removed', { sku: newId() });
const renamed = (sku: string) => event('product.variant.renamed', { sku, name: 'A' });

describe('the lanes of an outbox', () => {
  let outbox: TestOutbox;
  beforeAll(async () => {
    outbox = await openOutbox();
  });
  afterEach(() => outbox.empty());
  afterAll(() => outbox.close());

  /** The number of events that a relay made due again in a second: they were claimed for longer. */
  const released = async () => {
    const [row] = await outbox.query<{ count: number }>(
      `select count(*)::int as count from outbox
       where next_attempt_at - updated_at = interval '1 s'`,
    );
    return row?.count;
  };

  it('deliver to a consumer while another one accepts events and never answers', async () => {
    const warehouse = hangingConsumer();
    const product = recordingConsumer();
    await outbox.write(...Array.from({ length: 250 }, () => shipped(newId())));
    const relay = startRelay(
      outbox.parts({ warehouse: warehouse.client, product: product.client }),
    );
    await eventually(
      async () => warehouse.calls(),
      (calls) => calls > 0,
    );
    for (let n = 0; n < 5; n++) {
      await outbox.write(stock(`SKU-${n}`, 1));
      await eventually(
        async () => product.sent().length,
        (count) => count === n + 1,
      );
    }
    expect(warehouse.calls()).toBe(1);
    await eventually(outbox.unsent, ({ length }) => length === 250);
    warehouse.fail();
    await relay.stop();
  });

  it('pause after a consumer was not reached, with all of its other events', async () => {
    let calls = 0;
    const client = consumerOf(() => {
      calls += 1;
      return Promise.reject(unreachable());
    });
    await outbox.write(...Array.from({ length: 250 }, () => shipped(newId())));
    // The pause lasts until the test lets the time go on.
    const clock = jest.spyOn(performance, 'now').mockReturnValue(performance.now());
    const relay = startRelay({ ...outbox.parts({ warehouse: client }), pollMs: 600_000 });
    try {
      await eventually(released, (count) => count === 100);
      await outbox.write(shipped(newId()));
      await outbox.write(shipped(newId()));
      expect(calls).toBe(1);
    } finally {
      clock.mockRestore();
    }
    await eventually(
      async () => {
        await outbox.write(shipped(newId()));
        return calls;
      },
      (count) => count > 1,
    );
    await relay.stop();
    expect((await outbox.unsent()).filter(({ rejections }) => rejections > 0)).toEqual([]);
  });

  it('deliver `each` while a batch of `latest` to the same consumer is not answered', async () => {
    const shop = recordingConsumer();
    const stuck = hangingConsumer();
    const client: ServiceClient = {
      ...shop.client,
      call(call, variables, options) {
        const [first] = (variables as unknown as { events: Sent[] }).events;
        const isLatest = first?.topic === 'product.variant.renamed';
        return (isLatest ? stuck.client : shop.client).call(call, variables, options);
      },
    };
    await outbox.write(...Array.from({ length: 250 }, () => renamed(newId())));
    const relay = startRelay(outbox.parts({ shop: client }));
    await eventually(
      async () => stuck.calls(),
      (calls) => calls === 1,
    );
    await outbox.write(removed());
    await eventually(
      async () => shop.verbs(),
      (verbs) => verbs.length === 1,
    );
    expect(shop.verbs()).toEqual(['removed']);
    stuck.fail();
    await relay.stop();
  });

  it('deliver all that is due of `each` before a batch of `latest` begins', async () => {
    const shop = recordingConsumer();
    const each = Array.from({ length: 150 }, removed);
    await outbox.write(renamed('SKU'), ...each);
    const relay = startRelay(outbox.parts({ shop: shop.client }));
    await eventually(outbox.unsent, ({ length }) => length === 0);
    await relay.stop();
    expect(shop.verbs()).toEqual([...each.map(() => 'removed'), 'renamed']);
  });

  it('deliver what an earlier version wrote to a lane that is not used any more', async () => {
    const product = recordingConsumer();
    await outbox.write({ ...stock('A', 1), delivery: 'each' });
    const relay = startRelay({ ...outbox.parts({ product: product.client }), pollMs: 10 });
    await eventually(outbox.unsent, ({ length }) => length === 0);
    await outbox.write({ ...stock('A', 2), delivery: 'each' });
    await eventually(outbox.unsent, ({ length }) => length === 0);
    await relay.stop();
    expect(product.sent().map(({ version }) => version)).toEqual([1, 2]);
  });
});
