import { validateSync } from 'class-validator';
import { addressOf, requiredParts, type SavedAddress } from '../../contracts/user.js';
import { phoneOf } from '../../shared/auth/identifier.js';
import { badInput, notFound } from '../../shared/errors.js';
import { hasVisibleText } from '../../shared/text/visible-text.js';
import type { OrderApp } from '../context.js';
import type { ShippingAddress } from '../order/shipping-address.js';
import type { CheckoutInput } from './checkout-input.js';
import { ShippingAddressInput } from './shipping-address-input.js';

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
 * @throws `NOT_FOUND` if the customer has no such address, `BAD_USER_INPUT` if it is incomplete, or has a part
 *   that could not be typed, `TRY_AGAIN`
 */
export async function shippingAddressOf(
  { user }: OrderApp,
  userId: string,
  { shippingAddress, addressId }: AddressChoice,
): Promise<ShippingAddress> {
  if (shippingAddress) {
    const { phone } = shippingAddress;
    return { ...shippingAddress, phone: phone ? phoneOf(phone) : null };
  }
  const id = addressId as string;
  const address = await user.call(addressOf, { userId, id }, { timeoutMs, repeatable: true });
  if (!address) throw notFound('address', id);
  requireValid(address);
  return address as ShippingAddress;
}

function requireValid(address: SavedAddress): void {
  const missing = requiredParts.filter((part) => !hasVisibleText(address[part]));
  if (missing.length > 0) {
    const parts = missing.map((part) => `no ${part}`).join(', ');
    throw badInput({ 'input.addressId': `the address has ${parts}: complete it first` });
  }
  const problems = validateSync(Object.assign(new ShippingAddressInput(), address)).flatMap(
    ({ property, constraints = {} }) =>
      Object.values(constraints).map((rule) => `its ${property} ${rule}`),
  );
  if (problems.length === 0) return;
  throw badInput({ 'input.addressId': `change the address first: ${problems.join(', ')}` });
}
