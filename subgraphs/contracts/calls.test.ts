import { readFileSync } from 'node:fs';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { parse, validate } from 'graphql';
import type { Call } from './call.js';
import { deliveryTo, events } from './events.js';
import * as product from './product.js';
import type { ReservationAnswer } from './reservation.js';
import * as shop from './shop.js';
import * as user from './user.js';
import * as warehouse from './warehouse.js';

type AnyCall = Call<object, unknown>;
const isCall = (value: unknown): value is AnyCall =>
  typeof value === 'object' && value !== null && 'query' in value;
const callsTo = Object.entries({ product, shop, user, warehouse }).flatMap(([name, contracts]) =>
  Object.values<unknown>(contracts)
    .filter(isCall)
    .map((call) => [name, call.field, call] as const),
);
const deliveries = Object.values(events).map(({ consumer }) => {
  const call: AnyCall = deliveryTo(consumer);
  return [consumer, call.field, call] as const;
});

describe('calls between subgraphs', () => {
  it.each([...callsTo, ...deliveries])('%s answers %s as its schema says', (name, _, { query }) => {
    const typeDefs = parse(readFileSync(`schema/${name}.graphql`, 'utf8'));
    expect(validate(buildSubgraphSchema([{ typeDefs }]), parse(query))).toEqual([]);
  });

  const offer: shop.OfferForSale = {
    id: 'o',
    shopId: 's',
    sku: 'MUG',
    name: 'Mug, blue',
    priceAmount: '19.90',
    currencyCode: 'USD',
    purchaseLimit: null,
    active: true,
    holdLimit: null,
    sale: null,
    decidedAt: '2026-12-24T10:00:00.000Z',
  };

  it('take an offer with all of its parts, and nothing else for one', () => {
    const { answer } = shop.offersForSale;
    expect(answer.parse([offer, { ...offer, purchaseLimit: 3 }])).toHaveLength(2);
    for (const part of Object.keys(offer)) {
      expect(() => answer.parse([offer, { ...offer, [part]: undefined }])).toThrow('item 1');
    }
    for (const wrong of [null, {}, 'offers'])
      expect(() => answer.parse(wrong)).toThrow('not a list');
    expect(() => answer.parse([null])).toThrow('item 0');
  });

  it('take a reservation in each state with what belongs to the state', () => {
    const { answer } = warehouse.reserveStock;
    const of = (fields: object): ReservationAnswer => answer.parse({ orderId: 'o', ...fields });
    expect(of({ state: 'HELD', expiresAt: '2026-01-01T00:00:00Z' }).state).toBe('HELD');
    expect(of({ state: 'SHORT', shortages: [] }).state).toBe('SHORT');
    for (const state of ['WAITING', 'RELEASED', 'COMMITTED', 'EXPIRED']) {
      expect(of({ state, expiresAt: null, shortages: null }).state).toBe(state);
    }
    for (const wrong of [{ state: 'LOST' }, { state: 'HELD' }, { state: 'SHORT' }, {}]) {
      expect(() => of(wrong)).toThrow('wrong type');
    }
  });
});
