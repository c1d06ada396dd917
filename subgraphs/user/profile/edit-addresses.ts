import type { EntityManager } from '@mikro-orm/postgresql';
import { identityOf } from '../../shared/auth/callers.js';
import { type Once, transact } from '../../shared/database/transact.js';
import { conflict, notFound } from '../../shared/errors.js';
import type { SubgraphContext } from '../../shared/graphql/context.js';
import { newId } from '../../shared/ids.js';
import { owns } from '../../shared/rights/rights.js';
import { lockUsers } from '../locks.js';
import { Address } from './address.js';
import {
  type AddAddressInput,
  partsOf,
  refuseEmpty,
  type UpdateAddressInput,
} from './address-input.js';
import { ensureDefault, unsetDefault } from './default-address.js';

export const addressesMax = 50;

const none = {
  recipient: null,
  phone: null,
  street: null,
  city: null,
  state: null,
  zip: null,
  country: null,
};

/** @throws `BAD_USER_INPUT` for an empty address, `CONFLICT` beyond 50 addresses */
export async function addAddress(
  context: SubgraphContext,
  input: AddAddressInput,
  once?: Once<Address>,
): Promise<Address> {
  refuseEmpty(input);
  const userId = identityOf(context).id;
  const work = async (tx: EntityManager) => {
    await lockUsers(tx, [userId]);
    const count = await tx.count(Address, { userId });
    if (count >= addressesMax)
      throw conflict(`You have ${count} addresses, the maximum. Delete one first.`);
    const isDefault = count === 0 || input.isDefault === true;
    if (isDefault) await unsetDefault(tx, userId);
    const parts = { ...none, ...partsOf(input) };
    const address = tx.create(Address, { ...parts, id: newId(), userId, isDefault });
    await tx.persist(address).flush();
    return address;
  };
  return transact(context.em, work, once);
}

/**
 * Changes the given parts. If the default address is to be that no longer, another one becomes it.
 *
 * @throws `NOT_FOUND` for an address of somebody else, unless the caller is an admin
 */
export async function updateAddress(
  context: SubgraphContext,
  input: UpdateAddressInput,
): Promise<Address> {
  return transact(context.em, async (tx) => {
    const { userId } = await requireOwnAddress(context, tx, input.id);
    await lockUsers(tx, [userId]);
    const address = await tx.findOne(Address, { id: input.id }, { refresh: true });
    if (!address) throw notFound('address', input.id);
    if (input.isDefault && !address.isDefault) await unsetDefault(tx, userId);
    Object.assign(address, partsOf(input));
    refuseEmpty(address);
    address.isDefault = input.isDefault ?? address.isDefault;
    await tx.flush();
    await ensureDefault(tx, userId, address.id);
    return tx.refreshOrFail(address);
  });
}

/**
 * Deletes an address. If it was the default, another one becomes it.
 *
 * @throws `NOT_FOUND` for an address of somebody else, unless the caller is an admin
 */
export function deleteAddress(
  context: SubgraphContext,
  id: string,
  once?: Once<boolean>,
): Promise<boolean> {
  const work = async (tx: EntityManager) => {
    const { userId } = await requireOwnAddress(context, tx, id);
    await lockUsers(tx, [userId]);
    if ((await tx.nativeDelete(Address, { id })) === 0) throw notFound('address', id);
    await ensureDefault(tx, userId);
    return true;
  };
  return transact(context.em, work, once);
}

async function requireOwnAddress(
  context: SubgraphContext,
  em: EntityManager,
  id: string,
): Promise<Address> {
  const address = await em.findOne(Address, { id });
  if (!address || !owns(context, address.userId)) throw notFound('address', id);
  return address;
}
