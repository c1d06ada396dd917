import { addressOf, addressParts } from '../../contracts/user.js';
import { badInput, notFound } from '../../shared/errors.js';
import type { OrderApp } from '../context.js';
import type { ShippingAddress } from '../order/order.js';
import type { CheckoutInput } from './checkout-input.js';

type AddressChoice = Pick<CheckoutInput, 'shippingAddress' | 'addressId'>;

const timeoutMs = 4000;

/** @throws `BAD_USER_INPUT` where there is none, or two */
export function requireOneAddress({ shippingAddress, addressId }: AddressChoice): void {
  if (Boolean(shippingAddress) !== Boolean(addressId)) return;
  throw badInput({ input: 'must have a shippingAddress or an addressId, and not both' });
}

/**
 * Where an order goes: what was given, or the customer's own address of that id as it is now.
 *
 * @throws `NOT_FOUND` where the customer has no such address, `BAD_USER_INPUT` for one that lacks a
 *   part that an order needs, `TRY_AGAIN`
 */
export async function shippingAddressOf(
  { user }: OrderApp,
  userId: string,
  { shippingAddress, addressId }: AddressChoice,
): Promise<ShippingAddress> {
  if (shippingAddress) return shippingAddress;
  const id = addressId as string;
  const address = await user.call(addressOf, { userId, id }, { timeoutMs, repeatable: true });
  if (!address) throw notFound('address', id);
  const missing = addressParts.filter((part) => !address[part]?.trim());
  if (missing.length > 0) {
    throw badInput({ 'input.addressId': `has no ${missing.join(', ')}: complete it first` });
  }
  return address as ShippingAddress;
}
