import { v7 as uuidv7 } from 'uuid';
import { identityOf } from '../../shared/auth.js';
import { sql } from '../../shared/database.js';
import { isUniqueViolation } from '../../shared/database-errors.js';
import { badInput } from '../../shared/errors.js';
import { failPoint } from '../../shared/fail-point.js';
import {
  claimKey,
  fingerprintOf,
  giveUpClaim,
  type KeyOf,
  storeOutcome,
} from '../../shared/idempotency.js';
import { result } from '../../shared/refusal.js';
import type { OrderApp, OrderContext } from '../context.js';
import { endPending, setExpiresAt } from '../order/change-status.js';
import { Order } from '../order/order.js';
import { payPlaced } from '../payment/pay-order.js';
import type { Shortage } from '../reservation/reservations.js';
import { type CheckoutInput, type CheckoutItemInput, mergeItems } from './checkout-input.js';
import {
  CheckoutSuccess,
  InsufficientStock,
  MixedCurrencies,
  OfferGone,
  OrderExpired,
} from './checkout-result.js';
import { readOffers } from './offers-for-sale.js';
import { type OrderLine, placeOrder, totalOf } from './place-order.js';

const totalMax = 999_999_999_999;

/** How a checkout ended, as it is kept under its key. */
type Outcome =
  | { kind: 'placed'; orderId: string }
  | { kind: 'expired'; orderId: string }
  | { kind: 'short'; orderId: string; lines: ShortFact[] }
  | { kind: 'gone'; offerIds: string[] }
  | { kind: 'mixed'; currencyCodes: string[] };
interface ShortFact {
  offerId: string;
  requested: number;
  available: number;
}

/**
 * Places an order across shops and holds its stock, all or nothing. The same customer and key get
 * the same answer, whichever process dies in between.
 *
 * @throws `BAD_USER_INPUT`, `IDEMPOTENCY_KEY_REUSED`, and `TRY_AGAIN` while a part of the system is
 *   away: the same request with the same key is safe then
 */
export async function checkout(context: OrderContext, input: CheckoutInput) {
  const { app, em } = context;
  const customerId = identityOf(context).id;
  const items = mergeItems(input.items);
  const of: KeyOf = { userId: customerId, operation: 'checkout', key: input.idempotencyKey };
  const fingerprint = fingerprintOf([items, input.shippingAddress, input.paymentMethod]);
  const claim = await claimKey<Outcome>(em, of, fingerprint, uuidv7());
  // What follows the hold is done under the order's id: whoever comes back with the key goes on.
  const payOrPresent = (outcome: Outcome) =>
    outcome.kind === 'placed' && input.paymentMethod
      ? payPlaced(context, outcome.orderId, input.paymentMethod)
      : present(context, outcome);
  if (claim.outcome) return payOrPresent(claim.outcome);
  try {
    const order = { id: claim.subjectId, customerId, shippingAddress: input.shippingAddress };
    return await payOrPresent(await run(app, of, order, items));
  } catch (error) {
    await giveUpClaim(em, of).catch(() => {}); // it lapses by itself
    throw error;
  }
}

type NewOrder = Parameters<typeof placeOrder>[1];

async function run(app: OrderApp, of: KeyOf, order: NewOrder, items: CheckoutItemInput[]) {
  const lines = await placedLines(app, order.id);
  if (lines.length > 0) return hold(app, of, order.id, lines);

  const offers = await readOffers(
    app.shop,
    items.map(({ offerId }) => offerId),
  );
  const refusal = refuse(items, offers);
  if (refusal) return settle(app, of, refusal);
  const ordered = items.map(({ offerId, quantity }) => {
    return { offer: offers.get(offerId) as OrderLine['offer'], quantity };
  });
  requirePayable(ordered);
  try {
    await placeOrder(app.orm.em, order, ordered);
    failPoint('order inserted');
  } catch (error) {
    // Another process with this key placed it meanwhile, at the prices that it read.
    if (!isUniqueViolation(error, 'customer_order_pkey')) throw error;
    return hold(app, of, order.id, await placedLines(app, order.id));
  }
  return hold(app, of, order.id, ordered.map(toHoldLine));
}

const toHoldLine = ({ offer, quantity }: OrderLine): HoldLine => {
  return { offerId: offer.id, shopId: offer.shopId, sku: offer.sku, quantity };
};

interface HoldLine {
  offerId: string;
  shopId: string;
  sku: string;
  quantity: number;
}

/** @throws `BAD_USER_INPUT` for a total that no payment can be of: nothing, or more than is kept */
function requirePayable(lines: readonly OrderLine[]): void {
  const total = totalOf(lines);
  if (Number(total) > 0 && Number(total) <= totalMax) return;
  throw badInput({
    'input.items': `add up to ${total}: must be more than 0, and at most ${totalMax}`,
  });
}

/** The lines of an order that a process placed before it died; none for a new one. */
function placedLines(app: OrderApp, orderId: string): Promise<HoldLine[]> {
  return sql<HoldLine>(
    app.orm.em.fork(),
    `select i.offer_id as "offerId", s.shop_id as "shopId", i.sku, i.quantity
     from shop_order s join order_item i on i.shop_order_id = s.id where s.order_id = $1`,
    [orderId],
  );
}

function refuse(
  items: CheckoutItemInput[],
  offers: Map<string, OrderLine['offer']>,
): Outcome | null {
  const offerIds = items.map(({ offerId }) => offerId).filter((id) => !offers.has(id));
  if (offerIds.length > 0) return { kind: 'gone', offerIds };
  const currencyCodes = [...new Set([...offers.values()].map((offer) => offer.currencyCode))];
  return currencyCodes.length > 1 ? { kind: 'mixed', currencyCodes } : null;
}

/** Holds the stock of a placed order, and writes down what came of it with the outcome of its key. */
async function hold(
  app: OrderApp,
  of: KeyOf,
  orderId: string,
  lines: HoldLine[],
): Promise<Outcome> {
  const answer = await app.reservations.reserve(orderId, lines.map(toReserveLine), app.holdForMs);
  failPoint('reservation held, order not told');
  switch (answer.state) {
    case 'HELD': {
      const expiresAt = new Date(answer.expiresAt as string);
      return settle(app, of, { kind: 'placed', orderId }, async (em) => {
        const stillPending = await setExpiresAt(em, orderId, expiresAt);
        return stillPending ? null : { kind: 'expired', orderId };
      });
    }
    case 'SHORT': {
      const short = shortLines(lines, answer.shortages ?? []);
      return settle(app, of, { kind: 'short', orderId, lines: short }, async (em) => {
        await endPending(em, orderId, { status: 'CANCELLED', reason: 'OUT_OF_STOCK' });
        return null;
      });
    }
    case 'COMMITTED':
      return settle(app, of, { kind: 'placed', orderId });
    default:
      return settle(app, of, { kind: 'expired', orderId });
  }
}

const toReserveLine = ({ shopId, sku, quantity }: HoldLine) => ({ shopId, sku, quantity });

/** One commit: the change of the order, if there is one, and the outcome of the key. */
function settle(
  app: OrderApp,
  of: KeyOf,
  outcome: Outcome,
  change: (em: OrderContext['em']) => Promise<Outcome | null> = async () => null,
): Promise<Outcome> {
  return app.orm.em.fork().transactional(async (em) => {
    const settled = (await change(em as OrderContext['em'])) ?? outcome;
    await storeOutcome(em as OrderContext['em'], of, settled);
    return settled;
  });
}

function shortLines(lines: readonly HoldLine[], shortages: readonly Shortage[]): ShortFact[] {
  return shortages.flatMap(({ shopId, sku, requested, available }) => {
    const line = lines.find((each) => each.shopId === shopId && each.sku === sku);
    return line ? [{ offerId: line.offerId, requested, available }] : [];
  });
}

async function present({ em }: OrderContext, outcome: Outcome) {
  switch (outcome.kind) {
    case 'placed':
      return result(CheckoutSuccess, {
        order: await em.fork().findOneOrFail(Order, outcome.orderId),
      });
    case 'expired':
      return result(OrderExpired, {
        message: 'This order ended; its stock is back on the shelf.',
        order: await em.fork().findOneOrFail(Order, outcome.orderId),
      });
    case 'short':
      return result(InsufficientStock, {
        message: 'There is not enough of what you want.',
        lines: outcome.lines.map(({ offerId, requested, available }) => {
          return { offer: { id: offerId }, requested, available };
        }),
      });
    case 'gone':
      return result(OfferGone, {
        message: 'Something you want is not for sale (any more).',
        offerIds: outcome.offerIds,
      });
    case 'mixed':
      return result(MixedCurrencies, {
        message: 'These offers have prices in different currencies; order them apart.',
        currencyCodes: outcome.currencyCodes,
      });
  }
}
