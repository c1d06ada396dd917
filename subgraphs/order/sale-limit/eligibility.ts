import type { SaleTerms } from '../../contracts/shop.js';
import { type Buyer, buyerOf } from '../../contracts/user.js';
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
): Promise<{ buyer: SaleBuyer | null } | Ineligible> {
  if (sales.length === 0) return { buyer: null };
  const isLimited = sales.some(({ limitPerCustomer }) => limitPerCustomer !== null);
  const address = isLimited ? buyerHashes.address(shippingAddress) : null;
  const restricted = sales.filter(({ eligibility }) => eligibility !== 'ANYONE');
  if (restricted.length === 0) return { buyer: { address, phone: null } };
  const checked = await checkCustomer(user, customerId, restricted);
  if ('reason' in checked) return checked;
  const provenPhone = checked.customer?.provenPhone;
  const needsPhone = restricted.some(({ eligibility }) => eligibility === 'PROVEN_PHONE');
  const phone = needsPhone && provenPhone ? buyerHashes.phone(provenPhone) : null;
  return { buyer: { address, phone } };
}

interface Ineligible {
  readonly saleId: string;
  readonly reason: IneligibleReason;
}

/** The conditions of a sale for its customers. */
export type SaleConditions = Pick<SaleTerms, 'id' | 'eligibility' | 'accountBefore'>;

/**
 * Checks the account of a customer for sales. The user subgraph is asked only for sales that need it.
 *
 * @returns the customer, null for one who was not read; or why the customer may not buy in one of the sales
 * @throws `TRY_AGAIN`
 */
export async function checkCustomer(
  user: ServiceClient,
  customerId: string,
  sales: readonly SaleConditions[],
): Promise<{ customer: Buyer | null } | Ineligible> {
  const restricted = sales.filter(({ eligibility }) => eligibility !== 'ANYONE');
  if (restricted.length === 0) return { customer: null };
  const options = { timeoutMs, repeatable: true };
  const customer = await user.call(buyerOf, { userId: customerId }, options);
  for (const { id: saleId, eligibility, accountBefore } of restricted) {
    if (eligibility === 'PROVEN_PHONE' && !customer?.provenPhone) {
      return { saleId, reason: 'PHONE_NOT_PROVEN' };
    }
    if (eligibility === 'ACCOUNT_BEFORE' && !isBefore(customer?.createdAt, accountBefore)) {
      return { saleId, reason: 'ACCOUNT_TOO_NEW' };
    }
  }
  return { customer };
}

const isBefore = (time: string | undefined, limit: string | null) =>
  time !== undefined && limit !== null && Date.parse(time) < Date.parse(limit);
