import {
  offerOf,
  openPlacing,
  type PlacingDatabase,
  saleTermsOf,
} from '../../../tests/harness/placing.js';
import { logger } from '../../../tests/harness/stock-engine.js';
import type { Call } from '../../contracts/call.js';
import type { ReserveLine, Shortage } from '../../contracts/reservation.js';
import type { SaleKey } from '../../contracts/sale.js';
import type { OfferForSale, SaleTerms } from '../../contracts/shop.js';
import type { Buyer } from '../../contracts/user.js';
import type { SaleUnits } from '../../contracts/warehouse.js';
import { createClaimReleases, createClaims } from '../../shared/idempotency/claim-key.js';
import { newId } from '../../shared/ids.js';
import { changeOrder } from '../order/transitions/change-orders.js';
import { createBuyerHashes } from '../sale-limit/sale-buyer.js';
import { CheckoutResolver } from './checkout.resolver.js';
import type { CheckoutInput, CheckoutItemInput } from './checkout-input.js';
import type { CheckoutSuccess } from './checkout-result.js';
import { createShortSkus } from './short-skus.js';

const minute = 60_000;
const shippingAddress = {
  ...{ recipient: 'A', street: '1 Main St.', city: 'B', zip: '12345', country: 'US' },
};

describe('a checkout with lines of a sale', () => {
  let database: PlacingDatabase;
  beforeAll(async () => {
    database = await openPlacing();
  });
  afterAll(() => database.close());

  /** Shop, user and warehouse as they answer an order process. */
  function world({ sale, offer }: { sale: SaleTerms | null; offer: OfferForSale }) {
    const state = {
      offers: [{ ...offer, sale }],
      /** how long ago the offers of each read were read; 0 for later reads */
      readMsAgo: [] as number[],
      reads: 0,
      buyer: null as Buyer | null,
      shortages: null as Shortage[] | null,
      saleUnits: null as SaleUnits | null,
      /** what was counted for reports of sales: items, kind, and offers that are sold only in a sale */
      counted: [] as unknown[][],
      reserved: [] as { orderId: string; lines: readonly ReserveLine[]; reserveForMs: number }[],
    };
    const { em } = database.orm;
    const warehouse = {
      call: async ({ field }: Call<object, unknown>, { of }: { of: SaleKey[] }) =>
        field === 'saleUnitsOf' ? of.map(() => state.saleUnits) : [100],
    };
    const user = { call: async () => state.buyer };
    const app = {
      orm: database.orm,
      logger,
      user,
      warehouse,
      writes: database.writes,
      shortSkus: createShortSkus(warehouse as never, logger),
      buyerHashes: createBuyerHashes('a-secret-of-these-tests'),
      claimKey: createClaims(em),
      releaseClaim: createClaimReleases(em),
      refusals: { count: (_: string, ...given: unknown[]) => state.counted.push(given) },
      reserveForMs: 15 * minute,
      readOffers: async (ids: readonly string[]) => {
        state.reads += 1;
        const readAtMs = performance.now() - (state.readMsAgo.shift() ?? 0);
        const read = state.offers.filter(({ id }) => ids.includes(id));
        return new Map(read.map((each) => [each.id, { ...each, readAtMs }]));
      },
      reservations: {
        async reserve(orderId: string, lines: readonly ReserveLine[], reserveForMs: number) {
          state.reserved.push({ orderId, lines, reserveForMs });
          const { shortages } = state;
          return shortages
            ? { orderId, state: 'SHORT', shortages, isRepeated: false }
            : { orderId, state: 'HELD', expiresAt: new Date(Date.now() + minute).toISOString() };
        },
        release: async () => ({ state: 'RELEASED' }),
      },
    };
    return {
      state,
      buy(items: CheckoutItemInput[], given: Partial<CheckoutInput> = {}, customer = newId()) {
        const context = {
          app,
          em: em.fork(),
          identity: { id: customer },
          caller: 'router',
          logger,
        };
        const input = { idempotencyKey: newId(), items, shippingAddress, ...given };
        return new CheckoutResolver().checkout(input, context as never);
      },
    };
  }
  function inSale(given: Partial<SaleTerms> = {}) {
    const sale = saleTermsOf(given);
    const offer = offerOf();
    const item = { offerId: offer.id, saleId: sale.id, quantity: 1 };
    return { sale, offer, item, ...world({ sale, offer }) };
  }
  const ordersOf = (customer: string) =>
    database.rows('select from customer_order where customer_id = $1', [customer]);

  it('takes its units from the sale, and those of regular lines from the rest, for as long as the sale says', async () => {
    const { buy, state, item, offer, sale } = inSale({ holdMinutes: 5 });
    const customer = newId();
    const items = [item, { offerId: offer.id, quantity: 2 }, { ...item, quantity: 3 }];
    const bought = await buy(items, { expectedTotal: '48.00' }, customer);
    expect(bought.constructor.name).toBe('CheckoutSuccess');
    const { shopId, sku } = offer;
    expect(state.reserved).toMatchObject([{ reserveForMs: 5 * minute }]);
    expect(state.reserved[0]?.lines).toEqual([
      { shopId, sku, quantity: 4, saleId: sale.id },
      { shopId, sku, quantity: 2 },
    ]);
  });

  it.each([
    ['SCHEDULED', true],
    ['PAUSED', false],
    ['CANCELLED', false],
    ['ENDED', false],
  ] as const)(
    'is refused while the sale is %s, and so is its repetition',
    async (saleState, isAhead) => {
      const { buy, state, item, sale, offer } = inSale({ state: saleState });
      const [customer, idempotencyKey] = [newId(), newId()];
      const refusal = {
        saleId: sale.id,
        startsAt: isAhead ? new Date(sale.startsAt) : null,
        serverTime: new Date(offer.decidedAt as string),
      };
      expect(await buy([item], { idempotencyKey }, customer)).toMatchObject(refusal);
      state.offers = [{ ...offer, sale: { ...sale, state: 'LIVE' } }];
      expect(await buy([item], { idempotencyKey }, customer)).toMatchObject(refusal);
      expect(await ordersOf(customer)).toEqual([]);
      expect(state.reserved).toEqual([]);
    },
  );

  it('is refused in a sale that is not the offer’s, and in none', async () => {
    const { buy, item, state, offer } = inSale();
    const saleId = newId();
    expect(await buy([{ ...item, saleId }])).toMatchObject({ saleId, startsAt: null });
    state.offers = [{ ...offer, sale: null }];
    expect(await buy([item])).toMatchObject({ saleId: item.saleId, startsAt: null });
    expect(state.reserved).toEqual([]);
  });

  it('is not at the regular price while the offer is sold in its sale only', async () => {
    const { buy, state, offer, sale } = inSale({ whenSoldOut: 'SOLD_OUT' });
    const regular = { offerId: offer.id, quantity: 1 };
    const refused = await buy([regular]);
    expect(refused.constructor.name).toBe('SaleOnly');
    expect(refused).toMatchObject({ offers: [{ id: offer.id }] });
    const inSales = [{ offerId: offer.id, saleId: sale.id }];
    expect(state.counted).toEqual([[[regular], 'SaleOnly', inSales]]);
    expect(state.reserved).toEqual([]);
    state.offers = [{ ...offer, sale: { ...sale, state: 'SCHEDULED' } }];
    expect((await buy([regular])).constructor.name).toBe('CheckoutSuccess');
  });

  it('is decided again by shop if the decision is older than 5 s', async () => {
    const { buy, state, item } = inSale();
    state.readMsAgo = [6000];
    expect((await buy([item])).constructor.name).toBe('CheckoutSuccess');
    expect(state.reads).toBe(2);
    state.readMsAgo = [6000, 6000, 6000];
    const customer = newId();
    await expect(buy([item], {}, customer)).rejects.toThrow('took too long');
    expect(await ordersOf(customer)).toEqual([]);
  });

  it('is another request than the one without the sale', async () => {
    const { buy, item, offer } = inSale();
    const [customer, idempotencyKey] = [newId(), newId()];
    await buy([item], { idempotencyKey }, customer);
    const regular = [{ offerId: offer.id, quantity: 1 }];
    await expect(buy(regular, { idempotencyKey }, customer)).rejects.toMatchObject({
      extensions: { code: 'IDEMPOTENCY_KEY_REUSED' },
    });
    expect(await ordersOf(customer)).toHaveLength(1);
  });

  it.each([
    ['SOLD_OUT', { isFinal: true }],
    ['HELD', { isFinal: false }],
  ] as const)(
    'is refused as sold out (%s) by the warehouse, and then before it is written',
    async (saleShortage, facts) => {
      const { buy, state, item, offer, sale } = inSale();
      const { shopId, sku } = offer;
      state.shortages = [
        { shopId, sku, saleId: sale.id, requested: 1, available: 0, saleShortage },
      ];
      const refusal = { saleId: sale.id, offers: [{ id: offer.id }], ...facts };
      const customer = newId();
      expect(await buy([item], {}, customer)).toMatchObject(refusal);
      expect(await ordersOf(customer)).toHaveLength(1);
      expect(await database.heldBy(customer)).toEqual({ orders: 0, units: {} });
      const sold = saleShortage === 'SOLD_OUT' ? 5 : 4;
      const units = { allocated: 5, held: 5 - sold, sold, remaining: 0 };
      state.saleUnits = { shopId, sku, ...units, isOpen: true };
      const later = newId();
      expect(await buy([item], {}, later)).toMatchObject(refusal);
      expect(await ordersOf(later)).toEqual([]);
      expect(state.reserved).toHaveLength(1);
      expect((await buy([{ offerId: offer.id, quantity: 1 }])).constructor.name).not.toBe(
        'SaleSoldOut',
      );
    },
  );

  it('is refused as not open when it is over by the clock of the warehouse', async () => {
    const { buy, state, item, offer, sale } = inSale();
    const { shopId, sku } = offer;
    const over = { saleId: sale.id, requested: 1, available: 0, saleShortage: 'OVER' as const };
    state.shortages = [{ shopId, sku, ...over }];
    expect((await buy([item])).constructor.name).toBe('SaleNotOpen');
    const units = { shopId, sku, allocated: 5, held: 1, sold: 4, remaining: 0 };
    for (const saleUnits of [null, { ...units, isOpen: false }]) {
      state.saleUnits = saleUnits;
      const customer = newId();
      expect((await buy([item], {}, customer)).constructor.name).toBe('SaleNotOpen');
      expect(await ordersOf(customer)).toEqual([]);
    }
    expect(state.reserved).toHaveLength(1);
  });

  it('says how many units of the sale are left if it has some', async () => {
    const { buy, state, item, offer, sale } = inSale();
    const { shopId, sku } = offer;
    const shortage = { saleId: sale.id, requested: 3, available: 2, saleShortage: 'HELD' as const };
    state.shortages = [{ shopId, sku, ...shortage }];
    expect(await buy([{ ...item, quantity: 3 }])).toMatchObject({
      lines: [{ saleId: sale.id, requested: 3, available: 2 }],
    });
  });

  it('is refused beyond three open orders, until the first of them expires', async () => {
    const { buy, item } = inSale();
    const customer = newId();
    for (let n = 0; n < 3; n++) await buy([item], {}, customer);
    const [first] = await database.rows<{ at: Date }>(
      'select min(expires_at) as at from customer_order where customer_id = $1',
      [customer],
    );
    expect(await buy([item], {}, customer)).toMatchObject({
      ...{ kind: 'OPEN_ORDERS', openOrders: 3, openUnits: null, limit: 3, offer: null },
      retryAt: first?.at,
    });
  });

  it('need not be tried again where its quantity alone exceeds the units that may be held', async () => {
    const { buy, item } = inSale();
    const customer = newId();
    await buy([item], {}, customer);
    const refused = { kind: 'OPEN_UNITS', openUnits: 1, limit: 20 };
    const alone = await buy([{ ...item, quantity: 21 }], {}, customer);
    expect(alone).toMatchObject({ ...refused, retryAt: null });
    const [held] = await database.rows<{ at: Date }>(
      'select expires_at as at from customer_order where customer_id = $1 and expires_at is not null',
      [customer],
    );
    const together = await buy([{ ...item, quantity: 20 }], {}, customer);
    expect(together).toMatchObject({ ...refused, retryAt: held?.at });
  });

  it('is refused until the end of the sale after two holds that expired', async () => {
    const { buy, item, offer, sale } = inSale();
    const customer = newId();
    for (let n = 0; n < 2; n++) {
      const { order } = (await buy([item], {}, customer)) as CheckoutSuccess;
      const change = { to: 'CANCELLED', reason: 'PAYMENT_TIMEOUT' } as const;
      await changeOrder(database.orm.em.fork(), { customerId: customer, id: order.id }, change);
    }
    expect(await buy([item], {}, customer)).toMatchObject({
      ...{ kind: 'EXPIRED_ORDERS', openOrders: null, openUnits: null, limit: 2 },
      ...{ offer: { id: offer.id }, retryAt: new Date(sale.endsAt) },
    });
  });

  it('needs a proven phone number where the sale says so, of which only a keyed hash is stored', async () => {
    const { buy, state, item, sale } = inSale({ eligibility: 'PROVEN_PHONE' });
    const createdAt = new Date().toISOString();
    state.buyer = { createdAt, provenPhone: null };
    expect(await buy([item])).toMatchObject({ reason: 'PHONE_NOT_PROVEN', saleId: sale.id });
    state.buyer = { createdAt, provenPhone: '+12025550123' };
    expect((await buy([item])).constructor.name).toBe('CheckoutSuccess');
    expect(await buy([item])).toMatchObject({ reason: 'PHONE_USED', saleId: sale.id });
    const stored = await database.rows<{ phone: string }>(
      'select phone from sale_phone where sale_id = $1',
      [sale.id],
    );
    expect(stored).toEqual([{ phone: expect.stringMatching(/^[\w-]{43}$/) }]);
  });

  it('needs an account from before the time that the sale says', async () => {
    const accountBefore = '2026-11-01T00:00:00.000Z';
    const { buy, state, item } = inSale({ eligibility: 'ACCOUNT_BEFORE', accountBefore });
    const tooNew = { reason: 'ACCOUNT_TOO_NEW' };
    expect(await buy([item])).toMatchObject(tooNew);
    state.buyer = { createdAt: accountBefore, provenPhone: null };
    expect(await buy([item])).toMatchObject(tooNew);
    state.buyer = { createdAt: '2026-10-31T23:59:59.999Z', provenPhone: null };
    expect((await buy([item])).constructor.name).toBe('CheckoutSuccess');
  });

  it('counts an address as the same in another case and with other punctuation between its words', async () => {
    const { buy, item } = inSale({ limitPerCustomer: 1 });
    const buyAt = (street: string, zip = shippingAddress.zip) =>
      buy([item], { shippingAddress: { ...shippingAddress, street, zip } });
    for (const [street, zip] of [
      ['1/12 Main St.', 'AB1 2CD'],
      ['1-12 MAIN ST', 'ab12cd'],
      ['1  12 main st', 'AB1-2CD'],
    ] as const)
      expect((await buyAt(street, zip)).constructor.name).toBe('CheckoutSuccess');
    expect(await buyAt('1/12 main st', 'AB1 2CD')).toMatchObject({
      reason: 'ADDRESS_LIMIT_REACHED',
    });
    for (const street of ['11/2 Main St.', '112 Main St.', '2 Main St.'])
      expect((await buyAt(street, 'AB1 2CD')).constructor.name).toBe('CheckoutSuccess');
  });
});
