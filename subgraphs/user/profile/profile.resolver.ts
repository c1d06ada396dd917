import { Arg, Ctx, Directive, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';
import { loaderOf, type SubgraphContext } from '../../shared/graphql/context.js';
import { ListMax } from '../../shared/graphql/list-max.js';
import { loadAllBy } from '../../shared/graphql/load.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { KeyArg } from '../../shared/idempotency/key-field.js';
import { runOnce } from '../../shared/idempotency/run-once.js';
import { Allow, requireSelf } from '../../shared/rights/rights.js';
import { User } from '../user.js';
import { Address } from './address.js';
import { AddAddressInput, UpdateAddressInput } from './address-input.js';
import { Buyer, buyerOf } from './buyer.js';
import { addAddress, addressesMax, deleteAddress, updateAddress } from './edit-addresses.js';
import { Preferences, UpdateProfileInput, updateProfile } from './update-profile.js';

const loadAddresses = loadAllBy(Address, 'userId', { isDefault: 'desc', id: 'asc' });

@Resolver(() => User)
export class ProfileResolver {
  @Allow('self')
  @ListMax(addressesMax)
  @FieldResolver(() => [Address], {
    description: 'Saved addresses, the default first. Only the user and admins see them.',
  })
  addresses(@Root() user: User, @Ctx() context: SubgraphContext) {
    requireSelf(context, user);
    return loaderOf(context, loadAddresses).load(user.id);
  }

  @Allow('self')
  @FieldResolver(() => Preferences, {
    description: 'Preferences. Only the user and admins see them.',
  })
  preferences(@Root() user: User, @Ctx() context: SubgraphContext): Preferences {
    requireSelf(context, user);
    return { newsletter: user.newsletter, theme: user.theme };
  }

  @Allow('signed-in')
  @Mutation(() => User, { description: 'Changes the name and preferences of the signed-in user.' })
  updateProfile(
    @Arg('input', () => UpdateProfileInput) input: UpdateProfileInput,
    @Ctx() context: SubgraphContext,
  ) {
    return updateProfile(context, input);
  }

  @Directive('@inaccessible')
  @Allow('caller:order')
  @Query(() => Address, {
    nullable: true,
    description: 'A saved address of a user; null if there is none.',
  })
  addressOf(
    @Arg('userId', () => UUID, { description: 'The user.' }) userId: string,
    @Arg('id', () => UUID, { description: 'The address.' }) id: string,
    @Ctx() { em }: SubgraphContext,
  ) {
    return em.findOne(Address, { id, userId });
  }

  @Directive('@inaccessible')
  @Allow('caller:order')
  @Query(() => Buyer, {
    nullable: true,
    description: 'A user as a buyer; null if there is none.',
  })
  async buyerOf(
    @Arg('userId', () => UUID, { description: 'The user.' }) userId: string,
    @Ctx() { em }: SubgraphContext,
  ): Promise<Buyer | null> {
    const user = await em.findOne(User, userId);
    return user && buyerOf(user);
  }

  @Allow('signed-in')
  @Mutation(() => Address, { description: 'Saves an address of the signed-in user.' })
  addAddress(
    @Arg('input', () => AddAddressInput) input: AddAddressInput,
    @Ctx() context: SubgraphContext,
  ) {
    const mutation = { operation: 'addAddress', input, results: [Address] };
    return runOnce(context, mutation, (once) => addAddress(context, input, once));
  }

  @Allow('own')
  @Mutation(() => Address, { description: 'Changes a saved address of the signed-in user.' })
  updateAddress(
    @Arg('input', () => UpdateAddressInput) input: UpdateAddressInput,
    @Ctx() context: SubgraphContext,
  ) {
    return updateAddress(context, input);
  }

  @Allow('own')
  @Mutation(() => Boolean, {
    description:
      'Deletes a saved address of the signed-in user. If it was the default, the address changed last becomes it.',
  })
  deleteAddress(
    @Arg('id', () => UUID, { description: 'The address.' }) id: string,
    @Ctx() context: SubgraphContext,
    @KeyArg() idempotencyKey?: string,
  ) {
    const mutation = { operation: 'deleteAddress', input: { id, idempotencyKey } };
    return runOnce(context, mutation, (once) => deleteAddress(context, id, once));
  }
}
