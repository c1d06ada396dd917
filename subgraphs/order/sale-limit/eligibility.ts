import type { SaleTerms } from '../../contracts/shop.js';
import { buyerOf } from '../../contracts/user.js';
import type { ServiceClient } from '../../shared/http/service-client.js';
import type { AddressParts, BuyerHashes, SaleBuyer } from './sale-buyer.js';

/** Why a customer may not buy in a sale. */
export type IneligibleReason =
  | 'PHONE_NOT_PROVEN'
  | 'PHONE_USED'
  | 'ACCOUNT_TOO_NEW'
  | 'ADDRESS_LIMIT_REACHED';

interface Checks {
  readonly user: ServiceClient;
  readonly buyerHashes: BuyerHashes;
}

const timeoutMs = 4000;

/**
 * Checks who the customer is for the sales of an order. The user subgraph is asked only for sales that need it.
 *
 * @returns as whom the sales count the customer, null without sales; or why the customer may not buy in one of them
 * @throws `TRY_AGAIN`
 */
export async function checkBuyer(
  { user, buyerHashes }: Checks,
  customerId: string,
  sales: readonly SaleTerms[],
  shippingAddress: AddressParts,
): Promise<{ buyer: SaleBuyer | null } | { saleId: string; reason: IneligibleReason }> {
  if (sales.length === 0) return { buyer: null };
  const isLimited = sales.some(({ limitPerCustomer }) => limitPerCustomer !== null);
  const address = isLimited ? buyerHashes.address(shippingAddress) : null;
  const restricted = sales.filter(({ eligibility }) => eligibility !== 'ANYONE');
  if (restricted.length === 0) return { buyer: { address, phone: null } };
  const options = { timeoutMs, repeatable: true };
  const customer = await user.call(buyerOf, { userId: customerId }, options);
  const provenPhone = customer?.provenPhone ?? null;
  for (const { id: saleId, eligibility, accountBefore } of restricted) {
    if (eligibility === 'PROVEN_PHONE' && !provenPhone) {
      return { saleId, reason: 'PHONE_NOT_PROVEN' };
    }
    if (eligibility === 'ACCOUNT_BEFORE' && !isBefore(customer?.createdAt, accountBefore)) {
      return { saleId, reason: 'ACCOUNT_TOO_NEW' };
    }
  }
  const needsPhone = restricted.some(({ eligibility }) => eligibility === 'PROVEN_PHONE');
  const phone = needsPhone && provenPhone ? buyerHashes.phone(provenPhone) : null;
  return { buyer: { address, phone } };
}

const isBefore = (time: string | undefined, limit: string | null) =>
  time !== undefined && limit !== null && Date.parse(time) < Date.parse(limit);
