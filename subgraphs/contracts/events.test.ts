import { event, events, producerOf, readPayload, type Topic } from './events.js';

describe('the events between subgraphs', () => {
  it('have topics of one form, and none goes to its own producer', () => {
    for (const [topic, { consumer }] of Object.entries(events)) {
      expect(topic).toMatch(/^(product|shop|warehouse|order)\.[a-z]+\.[a-z]+ed$/);
      expect(producerOf(topic as Topic)).not.toBe(consumer);
    }
  });

  it('have a key and a version, by which a consumer knows what is outdated', () => {
    const payload = { shopId: '01a19467-e800-77c1-8019-000000000000', sku: 'MUG', inStock: true };
    const message = event('warehouse.stock.changed', payload, 3);
    expect(message).toEqual({
      consumer: 'product',
      delivery: 'latest',
      topic: 'warehouse.stock.changed',
      key: `${payload.shopId}:MUG`,
      version: 3,
      payload,
    });
    const json = JSON.stringify({ ...payload, addedLater: 1 });
    expect(readPayload('warehouse.stock.changed', json)).toEqual(payload);
  });

  it('are refused with the name of what is wrong', () => {
    const payload = JSON.stringify({ orderId: 'x', state: 'HELD', reason: 'BY_CUSTOMER' });
    expect(() => readPayload('warehouse.reservation.ended', payload)).toThrow(
      /payload of warehouse.reservation.ended is malformed: orderId: .*; state: /,
    );
  });
});
