import { lowestIdAt } from '../../shared/ids.js';
import type { OrderApp } from '../context.js';
import { readFirstExpiry } from '../hold-limit/count-holds.js';
import { goToEnd, readPosition } from '../sale-queue/admission/go-to-end.js';
import { abandonedAfterMs } from './abandon-orders.js';
import { type NewOrder, saleOf, unitsIn } from './new-order.js';
import type { Outcome } from './outcome.js';
import type { Violation } from './place-order.js';
import type { HoldLimit } from './sale-refusals.js';

/** A checkout may take so long from its key, whose time is in the order's id, to the hold of its stock. */
const idMarginMs = 3_600_000;

/** The outcome of a checkout whose order exceeds limits: the one that is longest in the way. */
export async function toLimitRefusal(
  app: OrderApp,
  order: NewOrder,
  violations: readonly Violation[],
): Promise<Outcome> {
  const of = (...kinds: readonly Violation['kind'][]) =>
    violations.filter(({ kind }) => kinds.includes(kind));
  const [person] = [...of('PHONE'), ...of('ADDRESS')];
  if (person) {
    const reason = person.kind === 'PHONE' ? 'PHONE_USED' : 'ADDRESS_LIMIT_REACHED';
    return { kind: 'not-eligible', saleId: person.saleId as string, reason };
  }
  const purchases = of('PURCHASES', 'SALE_PURCHASES');
  if (purchases.length > 0) return { kind: 'limited', lines: purchases.map(toLimited) };
  const [notAdmitted] = of('NOT_ADMITTED');
  if (notAdmitted) return toNotAdmitted(app, order, notAdmitted);
  const held = [...of('EXPIRED_ORDERS'), ...of('OPEN_ORDERS'), ...of('OPEN_UNITS')][0] as Violation;
  const { offerId, counted, limit } = held;
  return {
    kind: 'hold-limited',
    reason: held.kind as HoldLimit,
    offerId,
    counted,
    limit,
    retryAt: await retryAtOf(app, order, held),
  };
}

/** A customer whose holds expired too often goes to the end of the queue. */
async function toNotAdmitted(
  app: OrderApp,
  { customerId }: NewOrder,
  { saleId, counted, limit }: Violation,
): Promise<Outcome> {
  const em = app.orm.em.fork();
  const ticket = { customerId, saleId: saleId as string };
  if (counted >= limit) await goToEnd(em, ticket);
  return { kind: 'not-admitted', saleId: ticket.saleId, ...(await readPosition(em, ticket)) };
}

const toLimited = ({ offerId, saleId, limit, counted }: Violation) => {
  return { offerId: offerId as string, saleId, limit, already: counted };
};

/** When the order may be placed at the earliest; null if it never may, as it is. */
async function retryAtOf(
  app: OrderApp,
  { customerId, lines }: NewOrder,
  { kind, offerId, saleId, limit }: Violation,
): Promise<string | null> {
  if (kind === 'EXPIRED_ORDERS') {
    const sale = lines.map(saleOf).find((each) => each?.id === saleId);
    return sale?.endsAt ?? null;
  }
  const ofOffer = lines.filter(({ offer }) => offer.id === offerId);
  if (kind === 'OPEN_UNITS' && unitsIn(ofOffer) > limit) return null;
  const now = Date.now();
  const lowestId = lowestIdAt(Math.max(0, Math.round(now - app.reserveForMs - idMarginMs)));
  const first = await readFirstExpiry(app.orm.em.fork(), customerId, lowestId);
  // None is held yet: the first of them is about to be, or is abandoned.
  return new Date(first ?? now + abandonedAfterMs).toISOString();
}
