import { addressOf, addressParts } from '../../contracts/user.js';
import { badInput, notFound } from '../../shared/errors.js';
import type { OrderApp } from '../context.js';
import type { ShippingAddress } from '../order/order.js';
import type { CheckoutInput } from './checkout-input.js';

type AddressChoice = Pick<CheckoutInput, 'shippingAddress' | 'addressId'>;

const timeoutMs = 4000;

/** @throws `BAD_USER_INPUT` for no address, or two */
export function requireOneAddress({ shippingAddress, addressId }: AddressChoice): void {
  if (Boolean(shippingAddress) !== Boolean(addressId)) return;
  throw badInput({ input: 'must have either a shippingAddress or an addressId' });
}

/**
 * The shipping address of an order: the given one, or the customer's saved address in its current
 * form.
 *
 * @throws `NOT_FOUND` if the customer has no such address, `BAD_USER_INPUT` if it is incomplete,
 *   `TRY_AGAIN`
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
    throw badInput({
      'input.addressId': `lacks ${missing.join(', ')}: complete the address first`,
    });
  }
  return address as ShippingAddress;
}
