import {
  openOutbox,
  recordingConsumer,
  stock,
  type TestOutbox,
} from '../../../../tests/harness/outbox.js';
import { relayOnce } from './start-relay.js';

describe('relays', () => {
  let outbox: TestOutbox;
  beforeAll(async () => {
    outbox = await openOutbox();
  });
  afterEach(() => outbox.empty());
  afterAll(() => outbox.close());

  it('send the newest of a key of `latest` in the place of the oldest, and the others never', async () => {
    const product = recordingConsumer();
    await outbox.write(stock('A', 1), stock('B', 1), stock('A', 2));
    // Beyond the batch.
    await outbox.write(...Array.from({ length: 120 }, (_, n) => stock(`SKU-${n}`, 1)));
    await outbox.write(stock('A', 3));
    await relayOnce(outbox.parts({ product: product.client }));
    const ofKeys = product.sent().map(({ key, version }) => `${key.split(':')[1]} ${version}`);
    expect(ofKeys).toContain('A 3');
    expect(ofKeys).toContain('B 1');
    expect(ofKeys).toHaveLength(99);
    await relayOnce(outbox.parts({ product: product.client }));
    expect(await outbox.unsent()).toEqual([]);
    expect(product.sent().filter(({ key }) => key.endsWith(':A'))).toHaveLength(1);
    expect(product.sent()).toHaveLength(122);
  });

  it('send a key of `latest` whose newest event backs off only when that is due', async () => {
    const product = recordingConsumer(({ version }) => version !== 2);
    await outbox.write(stock('A', 2));
    await relayOnce(outbox.parts({ product: product.client }));
    expect(await outbox.unsent()).toMatchObject([{ rejections: 1, waits: true }]);
    await outbox.query(
      `insert into outbox (id, consumer, delivery, topic, key, version, payload)
       select uuidv7(), consumer, delivery, topic, key, 3, payload from outbox`,
    );
    await relayOnce(outbox.parts({ product: product.client }));
    expect(product.sent().map(({ version }) => version)).toEqual([2, 3]);
    await outbox.allDue();
    await relayOnce(outbox.parts({ product: product.client }));
    // An older one is still sent if it is all there is; its consumer ignores it.
    expect(product.sent().map(({ version }) => version)).toEqual([2, 3, 2]);
  });

  it('do not replace an event of `latest` by one of another topic with the same key', async () => {
    const product = recordingConsumer();
    const other = { ...stock('A', 2), topic: 'warehouse.stock.counted' as never };
    await outbox.write(stock('A', 1), other);
    await relayOnce(outbox.parts({ product: product.client }));
    expect(product.verbs()).toEqual(['changed', 'counted']);

    const refusing = recordingConsumer(({ topic }) => topic !== 'warehouse.stock.changed');
    await outbox.write(stock('A', 3));
    await outbox.query('update outbox set rejections = 19 where sent_at is null');
    await relayOnce(outbox.parts({ product: refusing.client }));
    await outbox.write({ ...other, version: 4 });
    await relayOnce(outbox.parts({ product: refusing.client }));
    expect(await outbox.unsent()).toMatchObject([{ topic: 'warehouse.stock.changed', dead: true }]);
  });

  it('replace a dead letter of `latest` by a newer event once that is accepted', async () => {
    const product = recordingConsumer(({ version }) => version > 2);
    await outbox.write(stock('A', 1));
    await outbox.query('update outbox set rejections = 19');
    await relayOnce(outbox.parts({ product: product.client }));
    expect(await outbox.unsent()).toMatchObject([{ dead: true }]);
    await outbox.write(stock('A', 2));
    await relayOnce(outbox.parts({ product: product.client }));
    expect(await outbox.unsent()).toMatchObject([{ dead: true }, { dead: false, rejections: 1 }]);
    await outbox.write(stock('A', 3));
    await relayOnce(outbox.parts({ product: product.client }));
    await outbox.allDue();
    await relayOnce(outbox.parts({ product: product.client }));
    expect((await outbox.unsent()).filter(({ dead }) => dead)).toEqual([]);
  });
});
