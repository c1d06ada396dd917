import type { EntityManager } from '@mikro-orm/postgresql';
import { IsOptional, Length } from 'class-validator';
import { Field, InputType } from 'type-graphql';
import { identityOf } from '../../shared/auth/callers.js';
import { sqlCount } from '../../shared/database/sql.js';
import { type Once, transact } from '../../shared/database/transact.js';
import { badInput, conflict, notFound } from '../../shared/errors.js';
import type { SubgraphContext } from '../../shared/graphql/context.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { KeyField } from '../../shared/idempotency/key-field.js';
import { newId } from '../../shared/ids.js';
import { owns } from '../../shared/rights/rights.js';
import { lockUsers } from '../locks.js';
import { Address } from './address.js';

const addressesMax = 50;

@InputType({ description: 'An address.' })
abstract class AddressInput {
  @Field(() => String, { nullable: true, description: 'Street and number, up to 255 characters.' })
  @IsOptional()
  @Length(1, 255)
  street?: string | null;

  @Field(() => String, { nullable: true, description: 'City, up to 100 characters.' })
  @IsOptional()
  @Length(1, 100)
  city?: string | null;

  @Field(() => String, { nullable: true, description: 'State, up to 100 characters.' })
  @IsOptional()
  @Length(1, 100)
  state?: string | null;

  @Field(() => String, { nullable: true, description: 'Postal code, up to 20 characters.' })
  @IsOptional()
  @Length(1, 20)
  zip?: string | null;

  @Field(() => String, { nullable: true, description: 'Country, up to 100 characters.' })
  @IsOptional()
  @Length(1, 100)
  country?: string | null;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'Whether it becomes the default address in place of the current one. The first address always does.',
  })
  isDefault?: boolean | null;
}

@InputType({ description: 'A new address. At least one of its texts is required.' })
export class AddAddressInput extends AddressInput {
  @KeyField()
  idempotencyKey?: string | null;
}

@InputType({
  description: 'Changes to an address. Omitted fields keep their value; null clears a field.',
})
export class UpdateAddressInput extends AddressInput {
  @Field(() => UUID, { description: 'The address.' })
  id!: string;
}

const lines = ['street', 'city', 'state', 'zip', 'country'] as const;

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
    const texts = Object.fromEntries(lines.map((line) => [line, input[line] ?? null]));
    const address = tx.create(Address, { ...texts, id: newId(), userId, isDefault } as Address);
    await tx.persist(address).flush();
    return address;
  };
  return transact(context.em, work, once);
}

/** @throws `NOT_FOUND` for an address of somebody else, unless the caller is an admin */
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
    for (const line of lines) if (input[line] !== undefined) address[line] = input[line];
    refuseEmpty(address);
    address.isDefault = input.isDefault ?? address.isDefault;
    return address;
  });
}

/** @throws `NOT_FOUND` for an address of somebody else, unless the caller is an admin */
export function deleteAddress(
  context: SubgraphContext,
  id: string,
  once?: Once<boolean>,
): Promise<boolean> {
  const work = async (tx: EntityManager) => {
    await requireOwnAddress(context, tx, id);
    await tx.nativeDelete(Address, { id });
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

function refuseEmpty(address: Pick<AddressInput, (typeof lines)[number]>): void {
  if (lines.some((line) => address[line]?.trim())) return;
  throw badInput({ input: `must have at least one of ${lines.join(', ')}` });
}

const unsetDefault = (tx: EntityManager, userId: string) =>
  sqlCount(
    tx,
    'update address set is_default = false, updated_at = now() where user_id = $1 and is_default',
    [userId],
  );
