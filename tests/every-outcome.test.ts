import { readFileSync } from 'node:fs';
import { type DefinitionNode, parse } from 'graphql';
import { root } from '../ops/subgraph-names.js';
import { openShopping, type Shopping, type Shown } from './harness/shopping.js';

const enums = ['OrderStatus', 'CancelReason', 'PaymentStatus', 'RefundStatus', 'CartProblem'];

/** Members of all unions and values of those enums, as `Type.Member`. */
function outcomesOf(definition: DefinitionNode): string[] {
  if (definition.kind === 'UnionTypeDefinition') {
    return (definition.types ?? []).map((of) => `${definition.name.value}.${of.name.value}`);
  }
  if (definition.kind !== 'EnumTypeDefinition' || !enums.includes(definition.name.value)) return [];
  return (definition.values ?? []).map((of) => `${definition.name.value}.${of.name.value}`);
}

const status = ({ status }: Shown) => status;
const reason = ({ cancelReason }: Shown) => cancelReason;
const payment = ({ payments }: Shown) => payments[0]?.status;

type Way = [how: string, reach: (s: Shopping) => Promise<Shown>];
/** A union’s way gives the answer, an enum’s the value. */
const ways: Record<string, Way> = {
  'CartResult.Cart': ['an offer is added', (s) => s.add(s.shop, 1)],
  'CartResult.InsufficientStock': ['more than there is', async (s) => s.add(await s.newShop(1), 2)],
  'CartResult.PurchaseLimitExceeded': [
    'more than one may have',
    async (s) => s.add(await s.newShop(9, 1), 2),
  ],
  'CartResult.OfferGone': ['an offer that was removed', async (s) => s.add(await s.removed(), 1)],

  'CheckoutResult.CheckoutSuccess': ['without a method', (s) => s.order({ items: s.items() })],
  'CheckoutResult.InsufficientStock': [
    'more than there is',
    async (s) => s.order({ items: s.items(2, await s.newShop(1)) }),
  ],
  'CheckoutResult.PurchaseLimitExceeded': [
    'more than one may have',
    async (s) => s.order({ items: s.items(2, await s.newShop(9, 1)) }),
  ],
  'CheckoutResult.PriceChanged': [
    'another total than is expected',
    (s) => s.order({ items: s.items(), expectedTotal: '9.99' }),
  ],
  'CheckoutResult.CartEmpty': ['of an empty cart', (s) => s.order({})],
  'CheckoutResult.OfferGone': [
    'an offer that was removed',
    async (s) => s.order({ items: s.items(1, await s.removed()) }),
  ],
  'CheckoutResult.MixedCurrencies': [
    'from shops in dollars and in euros',
    async (s) => s.order({ items: [...s.items(), ...s.items(1, await s.inEuros())] }),
  ],
  'CheckoutResult.OrderExpired': [
    'asked again when the customer acted too late',
    (s) => s.repeated(s.timeIsUp),
  ],
  'CheckoutResult.PaymentSuccess': ['in one step', (s) => s.inOneStep('Credit Card')],
  'CheckoutResult.PaymentPending': ['a bank that thinks', (s) => s.inOneStep('Slow Bank')],
  'CheckoutResult.PaymentActionRequired': [
    'a bank that asks back',
    (s) => s.inOneStep('Challenge Card'),
  ],
  'CheckoutResult.PaymentDeclined': ['declined', (s) => s.inOneStep('Declined Card')],
  'CheckoutResult.OrderNotPayable': [
    'asked again after the customer cancelled',
    (s) => s.repeated(s.cancel),
  ],

  'PayOrderResult.PaymentSuccess': ['paid', async (s) => s.payBy(await s.place())],
  'PayOrderResult.PaymentPending': [
    'a bank that thinks',
    async (s) => s.payBy(await s.place(), 'Slow Bank'),
  ],
  'PayOrderResult.PaymentActionRequired': [
    'a bank that asks back',
    async (s) => s.payBy(await s.place(), 'Challenge Card'),
  ],
  'PayOrderResult.PaymentDeclined': [
    'declined',
    async (s) => s.payBy(await s.place(), 'Declined Card'),
  ],
  'PayOrderResult.OrderExpired': [
    'paid too late',
    async (s) => {
      const id = await s.place();
      await s.timeIsUp(id);
      return s.payBy(id);
    },
  ],
  'PayOrderResult.OrderNotPayable': ['paid before', async (s) => s.payBy(await s.buy())],

  'CancelOrderResult.Order': ['not paid yet', async (s) => s.cancel(await s.place())],
  'CancelOrderResult.OrderNotCancellable': [
    'shipped',
    async (s) => {
      const id = await s.buy();
      await s.step('ship', id);
      return s.cancel(id);
    },
  ],
  'ShopOrderResult.ShopOrder': ['paid, and shipped', async (s) => s.step('ship', await s.buy())],
  'ShopOrderResult.WrongShopOrderStatus': [
    'not paid, and shipped',
    async (s) => s.step('ship', await s.place()),
  ],

  'OrderStatus.PENDING': ['placed', async (s) => status(await s.orderOf(await s.place()))],
  'OrderStatus.CONFIRMED': ['paid', async (s) => status(await s.orderOf(await s.buy()))],
  'OrderStatus.SHIPPED': [
    'its shop ships it',
    async (s) => {
      const id = await s.buy();
      await s.step('ship', id);
      return status(await s.orderOf(id));
    },
  ],
  'OrderStatus.DELIVERED': [
    'its shop delivers it',
    async (s) => {
      const id = await s.buy();
      await s.step('ship', id);
      await s.step('deliverShopOrder', id);
      return status(await s.orderOf(id));
    },
  ],
  'OrderStatus.CANCELLED': ['not paid in time', async (s) => s.timeIsUp(await s.place())],

  'CancelReason.OUT_OF_STOCK': [
    'more than there is',
    async (s) => {
      await s.order({ items: s.items(2, await s.newShop(1)) });
      return reason(await s.orderOf(await s.newestOrder()));
    },
  ],
  'CancelReason.PAYMENT_TIMEOUT': [
    'not paid in time',
    async (s) => {
      const id = await s.place();
      await s.timeIsUp(id);
      return reason(await s.orderOf(id));
    },
  ],
  'CancelReason.PAYMENT_FAILED': [
    'declined in one step',
    async (s) => {
      await s.inOneStep('Declined Card');
      return reason(await s.orderOf(await s.newestOrder()));
    },
  ],
  'CancelReason.BY_CUSTOMER': [
    'its customer cancels it',
    async (s) => {
      const id = await s.place();
      await s.cancel(id);
      return reason(await s.orderOf(id));
    },
  ],
  'CancelReason.BY_SHOP': [
    'its only shop cancels it',
    async (s) => {
      const id = await s.buy();
      await s.step('cancelShopOrder', id);
      return reason(await s.orderOf(id));
    },
  ],
  'CancelReason.ABANDONED': [
    'its checkout stopped half-way, and nobody came back',
    async (s) => s.until(await s.halfPlaced(), 'ABANDONED', reason),
  ],

  'PaymentStatus.PENDING': [
    'a bank that asks back',
    async (s) => payment(await s.orderOf(await s.buy('Challenge Card'))),
  ],
  'PaymentStatus.AUTHORIZED': [
    'the warehouse subgraph is away when it is to be sold',
    async (s) => (await s.halfPaid()).payment.status,
  ],
  'PaymentStatus.COMPLETED': ['paid', async (s) => payment(await s.orderOf(await s.buy()))],
  'PaymentStatus.FAILED': [
    'declined',
    async (s) => payment(await s.orderOf(await s.buy('Declined Card'))),
  ],
  'PaymentStatus.VOIDED': [
    'the customer acts, and the time is up before we hear of it',
    async (s) => s.until(await s.actedTooLate(), 'VOIDED', payment),
  ],
  'PaymentStatus.REFUNDED': [
    'paid and cancelled',
    async (s) => {
      const id = await s.buy();
      await s.cancel(id);
      return s.until(id, 'REFUNDED', payment);
    },
  ],

  'RefundStatus.PENDING': [
    'paid and cancelled, a moment ago',
    async (s) => (await s.cancel(await s.buy('Lost Refund'))).payments[0].refunds[0].status,
  ],
  'RefundStatus.COMPLETED': [
    'paid and cancelled',
    async (s) => {
      const id = await s.buy();
      await s.cancel(id);
      return s.until(id, 'COMPLETED', ({ payments }) => payments[0].refunds[0].status);
    },
  ],

  'CartProblem.INSUFFICIENT_STOCK': [
    'somebody else buys it',
    async (s) => {
      const scarce = await s.newShop(3);
      await s.add(scarce, 3);
      await s.soldOne(scarce);
      return s.cartProblem();
    },
  ],
  ...Object.fromEntries(
    Object.entries({
      PRICE_CHANGED: { price: '10.01' },
      OFFER_GONE: { active: false },
      LIMIT_EXCEEDED: { purchaseLimit: 1 },
    }).map(([problem, change]): [string, Way] => [
      `CartProblem.${problem}`,
      [
        `its shop sets ${Object.entries(change)}`,
        async (s) => {
          const changed = await s.newShop();
          await s.add(changed, 2);
          await s.offer(changed, change);
          return s.cartProblem();
        },
      ],
    ]),
  ),
};

describe('every outcome of the order subgraph', () => {
  let shopping: Shopping;
  beforeAll(async () => {
    shopping = await openShopping();
  });
  beforeEach(() => shopping.newCustomer());
  afterAll(() => shopping.close());

  it('has a way here by which it is reached', () => {
    const { definitions } = parse(readFileSync(`${root}/schema/order.graphql`, 'utf8'));
    expect(Object.keys(ways).toSorted()).toEqual(definitions.flatMap(outcomesOf).toSorted());
  });

  const table = Object.entries(ways).map(([outcome, [how, reach]]) => ({ outcome, how, reach }));
  it.each(table)('$outcome is reached through the router: $how', async ({ outcome, reach }) => {
    const reached = await reach(shopping);
    expect(reached.__typename ?? reached).toBe(outcome.split('.')[1]);
  });

  it('leaves all invariants true once it is quiet', () => shopping.system.expectInvariants());
});
