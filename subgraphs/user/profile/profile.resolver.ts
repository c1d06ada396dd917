import { Arg, Ctx, Directive, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';
import { loaderOf, type SubgraphContext } from '../../shared/graphql/context.js';
import { loadAllBy } from '../../shared/graphql/load.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow, requireSelf } from '../../shared/rights/rights.js';
import { User } from '../user.js';
import { Address } from './address.js';
import {
  AddressInput,
  addAddress,
  deleteAddress,
  UpdateAddressInput,
  updateAddress,
} from './edit-addresses.js';
import { Preferences, UpdateProfileInput, updateProfile } from './update-profile.js';

const loadAddresses = loadAllBy(Address, 'userId', { isDefault: 'desc', id: 'asc' });

@Resolver(() => User)
export class ProfileResolver {
  @Allow('self')
  @FieldResolver(() => [Address], {
    description: 'The default first; only the user and an admin see them.',
  })
  addresses(@Root() user: User, @Ctx() context: SubgraphContext) {
    requireSelf(context, user);
    return loaderOf(context, loadAddresses).load(user.id);
  }

  @Allow('self')
  @FieldResolver(() => Preferences, {
    description: 'What the user likes; only the user and an admin see it.',
  })
  preferences(@Root() user: User, @Ctx() context: SubgraphContext): Preferences {
    requireSelf(context, user);
    return { newsletter: user.newsletter, theme: user.theme };
  }

  @Allow('signed-in')
  @Mutation(() => User, { description: 'Changes the own name and preferences.' })
  updateProfile(
    @Arg('input', () => UpdateProfileInput) input: UpdateProfileInput,
    @Ctx() context: SubgraphContext,
  ) {
    return updateProfile(context, input);
  }

  @Directive('@inaccessible')
  @Allow('caller:order')
  @Query(() => Address, { nullable: true, description: 'An address of a user’s own.' })
  addressOf(
    @Arg('userId', () => UUID, { description: 'The user.' }) userId: string,
    @Arg('id', () => UUID, { description: 'The address.' }) id: string,
    @Ctx() { em }: SubgraphContext,
  ) {
    return em.findOne(Address, { id, userId });
  }

  @Allow('signed-in')
  @Mutation(() => Address, { description: 'Adds an address of one’s own.' })
  addAddress(
    @Arg('input', () => AddressInput) input: AddressInput,
    @Ctx() context: SubgraphContext,
  ) {
    return addAddress(context, input);
  }

  @Allow('own')
  @Mutation(() => Address, { description: 'Changes an address of one’s own.' })
  updateAddress(
    @Arg('input', () => UpdateAddressInput) input: UpdateAddressInput,
    @Ctx() context: SubgraphContext,
  ) {
    return updateAddress(context, input);
  }

  @Allow('own')
  @Mutation(() => Boolean, { description: 'Deletes an address of one’s own.' })
  deleteAddress(
    @Arg('id', () => UUID, { description: 'The address.' }) id: string,
    @Ctx() context: SubgraphContext,
  ) {
    return deleteAddress(context, id);
  }
}
