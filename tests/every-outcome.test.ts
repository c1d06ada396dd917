import { readFileSync } from 'node:fs';
import { type DefinitionNode, parse } from 'graphql';
import { root } from '../ops/subgraph-names.js';
import { openShopping, type Reply, type Shopping, unitsMax } from './harness/shopping.js';

const enums = [
  'OrderStatus',
  'CancelReason',
  'PaymentStatus',
  'RefundStatus',
  'DisputeStatus',
  'CartProblem',
];

/** Members of all unions and values of those enums, as `Type.Member`. */
function outcomesOf(definition: DefinitionNode): string[] {
  if (definition.kind === 'UnionTypeDefinition') {
    return (definition.types ?? []).map((of) => `${definition.name.value}.${of.name.value}`);
  }
  if (definition.kind !== 'EnumTypeDefinition' || !enums.includes(definition.name.value)) return [];
  return (definition.values ?? []).map((of) => `${definition.name.value}.${of.name.value}`);
}

const status = ({ status }: Reply) => status;
const reason = ({ cancelReason }: Reply) => cancelReason;
const payment = ({ payments }: Reply) => payments.edges[0]?.node.status;
const refund = ({ payments }: Reply) => payments.edges[0]?.node.refunds[0]?.status;

type Way = [how: string, reach: (s: Shopping) => Promise<Reply>];
/** The way to a member of a union returns the response; the way to a value of an enum, the value. */
const ways: Record<string, Way> = {
  'CartResult.Cart': ['an offer is added', (s) => s.add(s.shop, 1)],
  'CartResult.InsufficientStock': [
    'more than the stock',
    async (s) => s.add(await s.newShop(1), 2),
  ],
  'CartResult.PurchaseLimitExceeded': [
    'more than the purchase limit',
    async (s) => s.add(await s.newShop(9, 1), 2),
  ],
  'CartResult.SaleNotOpen': [
    'a sale that is not the offer’s',
    (s) => s.add(s.shop, 1, s.shop.shopId),
  ],
  'CartResult.OfferGone': [
    'an offer that is no longer for sale',
    async (s) => s.add(await s.removed(), 1),
  ],

  'CheckoutResult.CheckoutSuccess': [
    'without a payment method',
    (s) => s.order({ items: s.items() }),
  ],
  'CheckoutResult.InsufficientStock': [
    'more than the stock',
    async (s) => s.order({ items: s.items(2, await s.newShop(1)) }),
  ],
  'CheckoutResult.PurchaseLimitExceeded': [
    'more than the purchase limit',
    async (s) => s.order({ items: s.items(2, await s.newShop(9, 1)) }),
  ],
  'CheckoutResult.HoldLimitExceeded': [
    'more units than one customer may hold',
    (s) => s.order({ items: s.items(10_000) }),
  ],
  'CheckoutResult.SaleNotOpen': [
    'in a sale that is not the offer’s',
    (s) => s.order({ items: [{ ...s.items()[0], saleId: s.shop.shopId }] }),
  ],
  'CheckoutResult.SaleSoldOut': [
    'repeated after the sale had no units left',
    (s) =>
      s.refusedAs({ kind: 'sale-sold-out', saleId: s.shop.shopId, offerIds: [], isFinal: true }),
  ],
  'CheckoutResult.SaleOnly': [
    'repeated after the offer was sold in its sale only',
    (s) =>
      s.refusedAs({
        kind: 'sale-only',
        offers: [{ offerId: s.shop.offerId, saleId: s.shop.shopId }],
      }),
  ],
  'CheckoutResult.NotEligible': [
    'repeated after the sale was not for the customer',
    (s) => s.refusedAs({ kind: 'not-eligible', saleId: s.shop.shopId, reason: 'PHONE_USED' }),
  ],
  'CheckoutResult.NotAdmitted': [
    'repeated after it was not the customer’s turn',
    (s) =>
      s.refusedAs({
        kind: 'not-admitted',
        saleId: s.shop.shopId,
        position: 7,
        serverTime: new Date().toISOString(),
      }),
  ],
  'CheckoutResult.PriceChanged': [
    'another total than expected',
    (s) => s.order({ items: s.items(), expectedTotal: '9.99' }),
  ],
  'CheckoutResult.CartEmpty': ['an empty cart', (s) => s.order({})],
  'CheckoutResult.OfferGone': [
    'an offer that is no longer for sale',
    async (s) => s.order({ items: s.items(1, await s.removed()) }),
  ],
  'CheckoutResult.MixedCurrencies': [
    'from shops in dollars and in euros',
    async (s) => s.order({ items: [...s.items(), ...s.items(1, await s.inEuros())] }),
  ],
  'CheckoutResult.OrderExpired': [
    'repeated after the customer acted too late',
    (s) => s.repeated(s.expire),
  ],
  'CheckoutResult.PaymentSuccess': ['paid at once', (s) => s.payAtOnce('Credit Card')],
  'CheckoutResult.PaymentPending': ['a bank that decides later', (s) => s.payAtOnce('Slow Bank')],
  'CheckoutResult.PaymentActionRequired': [
    'a bank that requires an action',
    (s) => s.payAtOnce('Challenge Card'),
  ],
  'CheckoutResult.PaymentDeclined': ['declined', (s) => s.payAtOnce('Declined Card')],
  'CheckoutResult.TooManyPaymentAttempts': [
    'after twenty declined payments on one day',
    async (s) => {
      for (let n = 0; n < 20; n++) await s.payAtOnce('Declined Card');
      return s.payAtOnce('Credit Card');
    },
  ],
  'CheckoutResult.OrderNotPayable': [
    'repeated after the customer cancelled',
    (s) => s.repeated(s.cancel),
  ],

  'JoinSaleResult.SaleTicket': ['a sale with a queue', (s) => s.joinQueue()],
  'JoinSaleResult.NotEligible': [
    'a sale for older accounts',
    (s) => s.joinQueue({ eligibility: 'ACCOUNT_BEFORE', accountBefore: new Date(0) }),
  ],
  'JoinSaleResult.SaleNotOpen': ['a sale that does not exist', (s) => s.join(s.shop.shopId)],

  'PayOrderResult.PaymentSuccess': ['paid', async (s) => s.payBy(await s.place())],
  'PayOrderResult.PaymentPending': [
    'a bank that decides later',
    async (s) => s.payBy(await s.place(), 'Slow Bank'),
  ],
  'PayOrderResult.PaymentActionRequired': [
    'a bank that requires an action',
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
      await s.expire(id);
      return s.payBy(id);
    },
  ],
  'PayOrderResult.TooManyPaymentAttempts': [
    'after five declined payments of the order',
    async (s) => {
      const id = await s.place();
      for (let n = 0; n < 5; n++) await s.payBy(id, 'Declined Card');
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
  'ShipShopOrderResult.ShopOrder': ['paid', async (s) => s.step('ship', await s.buy())],
  'ShipShopOrderResult.WrongShopOrderStatus': [
    'not paid',
    async (s) => s.step('ship', await s.place()),
  ],
  'ShipShopOrderResult.PaymentDisputed': [
    'the customer disputes the payment',
    async (s) => {
      const id = await s.buy();
      await s.disputed(id, 'OPEN');
      return s.step('ship', id);
    },
  ],
  'ShopOrderResult.ShopOrder': [
    'paid, and cancelled by the shop',
    async (s) => s.step('cancelShopOrder', await s.buy()),
  ],
  'ShopOrderResult.WrongShopOrderStatus': [
    'delivered before it is shipped',
    async (s) => s.step('deliverShopOrder', await s.buy()),
  ],

  'RefundShopOrderResult.Refund': [
    'an amount of a paid one',
    async (s) => s.refundShopOrder(await s.buy(), '1.00'),
  ],
  'RefundShopOrderResult.RefundTooHigh': [
    'more than was paid',
    async (s) => s.refundShopOrder(await s.buy(), '10.01'),
  ],
  'RefundShopOrderResult.PaymentDisputed': [
    'the customer disputes the payment',
    async (s) => {
      const id = await s.buy();
      await s.disputed(id, 'OPEN');
      return s.refundShopOrder(id, '1.00');
    },
  ],

  'RetryRefundResult.Refund': [
    'the bank returned the money',
    async (s) => s.retryRefund(await s.cancelled('Failing Refund', 'FAILED')),
  ],
  'RetryRefundResult.RefundNotRetryable': [
    'the refund is completed',
    async (s) => s.retryRefund(await s.cancelled('Credit Card', 'COMPLETED')),
  ],

  'OrderStatus.PENDING': ['placed', async (s) => status(await s.orderOf(await s.place()))],
  'OrderStatus.CONFIRMED': ['paid', async (s) => status(await s.orderOf(await s.buy()))],
  'OrderStatus.SHIPPED': [
    'the shop ships it',
    async (s) => {
      const id = await s.buy();
      await s.step('ship', id);
      return status(await s.orderOf(id));
    },
  ],
  'OrderStatus.DELIVERED': [
    'the shop delivers it',
    async (s) => {
      const id = await s.buy();
      await s.step('ship', id);
      await s.step('deliverShopOrder', id);
      return status(await s.orderOf(id));
    },
  ],
  'OrderStatus.CANCELLED': ['not paid in time', async (s) => s.expire(await s.place())],

  'CancelReason.OUT_OF_STOCK': [
    'paid after its unit was found missing',
    async (s) => {
      const shop = await s.newShop(1);
      const { order } = await s.order({ items: s.items(1, shop) });
      await s.loseOne(shop);
      await s.payBy(order.id);
      return s.until(order.id, 'OUT_OF_STOCK', reason);
    },
  ],
  'CancelReason.PAYMENT_TIMEOUT': [
    'not paid in time',
    async (s) => {
      const id = await s.place();
      await s.expire(id);
      return reason(await s.orderOf(id));
    },
  ],
  'CancelReason.PAYMENT_FAILED': [
    'declined when paid at once',
    async (s) => {
      await s.payAtOnce('Declined Card');
      return reason(await s.orderOf(await s.newestOrder()));
    },
  ],
  'CancelReason.BY_CUSTOMER': [
    'the customer cancels it',
    async (s) => {
      const id = await s.place();
      await s.cancel(id);
      return reason(await s.orderOf(id));
    },
  ],
  'CancelReason.BY_SHOP': [
    'the only shop cancels it',
    async (s) => {
      const id = await s.buy();
      await s.step('cancelShopOrder', id);
      return reason(await s.orderOf(id));
    },
  ],
  'CancelReason.ABANDONED': [
    'the checkout stopped half-way, and is recorded while it is cancelled',
    async (s) => s.until(await s.halfPlaced(), 'ABANDONED', reason),
  ],

  'PaymentStatus.PENDING': [
    'a bank that requires an action',
    async (s) => payment(await s.orderOf(await s.buy('Challenge Card'))),
  ],
  'PaymentStatus.AUTHORIZED': [
    'the warehouse subgraph is down after the authorization',
    async (s) => (await s.halfPaid()).payment.status,
  ],
  'PaymentStatus.COMPLETED': ['paid', async (s) => payment(await s.orderOf(await s.buy()))],
  'PaymentStatus.FAILED': [
    'declined',
    async (s) => payment(await s.orderOf(await s.buy('Declined Card'))),
  ],
  'PaymentStatus.VOIDED': [
    'the customer acts, and the order expires before the webhook',
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
    'paid and just cancelled',
    async (s) =>
      (await s.cancel(await s.buy('Lost Refund'))).payments.edges[0].node.refunds[0].status,
  ],
  'RefundStatus.SENT': [
    'the bank decides later',
    async (s) => refund(await s.orderOf(await s.cancelled('Pending Refund', 'SENT'))),
  ],
  'RefundStatus.COMPLETED': [
    'paid and cancelled',
    async (s) => refund(await s.orderOf(await s.cancelled('Credit Card', 'COMPLETED'))),
  ],
  'RefundStatus.FAILED': [
    'the card is closed',
    async (s) => refund(await s.orderOf(await s.cancelled('Failing Refund', 'FAILED'))),
  ],
  'RefundStatus.CANCELLED': [
    'the customer gets the money by a dispute, and then the shop cancels',
    async (s) => {
      const id = await s.buy();
      await s.disputed(id, 'OPEN');
      await s.step('cancelShopOrder', id);
      await s.disputed(id, 'LOST');
      return refund(await s.orderOf(id));
    },
  ],

  ...Object.fromEntries(
    Object.entries({
      INQUIRY: ['INQUIRY'],
      CLOSED: ['INQUIRY', 'CLOSED'],
      OPEN: ['OPEN'],
      WON: ['OPEN', 'WON'],
      LOST: ['INQUIRY', 'OPEN', 'LOST'],
    } as const).map(([status, reported]): [string, Way] => [
      `DisputeStatus.${status}`,
      [
        `the provider reports ${reported.join(', then ')}`,
        async (s) => {
          const id = await s.buy();
          for (const each of reported) await s.disputed(id, each);
          return (await s.orderOf(id)).payments.edges[0].node.disputes[0].status;
        },
      ],
    ]),
  ),

  'CartProblem.SALE_NOT_OPEN': [
    'a line of a sale that is over',
    async (s) => {
      await s.add(s.shop, 1);
      await s.inSale();
      return s.cartProblem();
    },
  ],
  'CartProblem.INSUFFICIENT_STOCK': [
    'another customer buys a unit',
    async (s) => {
      const scarce = await s.newShop(3);
      await s.add(scarce, 3);
      await s.soldOne(scarce);
      return s.cartProblem();
    },
  ],
  'CartProblem.HOLD_LIMIT_EXCEEDED': [
    'the units of an unpaid order count',
    async (s) => {
      const many = await s.newShop(unitsMax + 2);
      await s.order({ items: s.items(unitsMax, many) });
      await s.add(many, 1);
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
        `the shop sets ${Object.entries(change)}`,
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

  it('has a test below', () => {
    const { definitions } = parse(readFileSync(`${root}/schema/order.graphql`, 'utf8'));
    expect(Object.keys(ways).toSorted()).toEqual(definitions.flatMap(outcomesOf).toSorted());
  });

  const table = Object.entries(ways).map(([outcome, [how, reach]]) => ({ outcome, how, reach }));
  it.each(table)('$outcome is reached through the router: $how', async ({ outcome, reach }) => {
    const reached = await reach(shopping);
    expect(reached.__typename ?? reached).toBe(outcome.split('.')[1]);
  });

  it('leaves all invariants intact', () => shopping.system.expectInvariants());
});
