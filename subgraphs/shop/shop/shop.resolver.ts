import {
  Arg,
  Ctx,
  Directive,
  FieldResolver,
  Int,
  Mutation,
  Query,
  Resolver,
  Root,
} from 'type-graphql';
import { loaderOf } from '../../shared/context.js';
import { badInput } from '../../shared/errors.js';
import { findPage, loadBy } from '../../shared/load.js';
import { Allow } from '../../shared/rights.js';
import { UUID } from '../../shared/scalars.js';
import type { ShopContext } from '../context.js';
import { User } from '../user/user.js';
import { CreateShopInput, createShop } from './create-shop.js';
import { Shop, ShopConnection } from './shop.js';
import { ShopOwner } from './shop-owner.js';

export const loadShops = loadBy(Shop, 'id');

@Resolver(() => Shop)
export class ShopResolver {
  @Allow('anyone')
  @Query(() => Shop, { nullable: true, description: 'One shop, by its id or its slug.' })
  shop(
    @Ctx() context: ShopContext,
    @Arg('id', () => UUID, { nullable: true, description: 'Its id.' }) id?: string,
    @Arg('slug', () => String, { nullable: true, description: 'Its slug.' }) slug?: string,
  ) {
    if (id) return loaderOf(context, loadShops).load(id);
    if (slug) return context.em.findOne(Shop, { slug });
    throw badInput({ id: 'give an id or a slug' });
  }

  @Allow('anyone')
  @Query(() => ShopConnection, { description: 'All shops, newest first.' })
  shops(
    @Ctx() { em }: ShopContext,
    @Arg('first', () => Int, { defaultValue: 20, description: '1 to 100.' }) first: number,
    @Arg('after', () => String, { nullable: true, description: 'An `endCursor`.' }) after?: string,
  ) {
    return findPage(em, Shop, {}, { first, after, order: 'desc' });
  }

  @Directive('@inaccessible')
  @Allow('caller:warehouse', 'caller:order')
  @Query(() => [ShopOwner], { description: 'Who owns these shops; unknown ids are left out.' })
  async shopOwners(
    @Arg('ids', () => [UUID], { description: 'Their ids.' }) ids: string[],
    @Ctx() { em }: ShopContext,
  ): Promise<ShopOwner[]> {
    const shops = await em.find(Shop, { id: { $in: ids } });
    return shops.map(({ id, ownerId }) => ({ shopId: id, ownerId }));
  }

  @Allow('vendor')
  @Mutation(() => Shop, { description: 'Opens a shop, owned by whoever asks.' })
  createShop(
    @Arg('input', () => CreateShopInput) input: CreateShopInput,
    @Ctx() context: ShopContext,
  ) {
    return createShop(context, input);
  }

  @Allow('anyone')
  @FieldResolver(() => User, { nullable: true, description: 'Who owns it.' })
  owner(@Root() shop: Shop): User {
    return { id: shop.ownerId };
  }
}
