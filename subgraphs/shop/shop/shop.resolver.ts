import {
  Arg,
  Args,
  Ctx,
  Directive,
  FieldResolver,
  Mutation,
  Query,
  Resolver,
  Root,
} from 'type-graphql';
import { badInput } from '../../shared/errors.js';
import { PageArgs } from '../../shared/graphql/connection.js';
import { loaderOf } from '../../shared/graphql/context.js';
import { ListMax } from '../../shared/graphql/list-max.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { runOnce } from '../../shared/idempotency/run-once.js';
import { Allow } from '../../shared/rights/rights.js';
import type { ShopContext } from '../context.js';
import { User } from '../references.js';
import { CreateShopInput, createShop, shopsMax } from './create-shop.js';
import { findShops, loadShops, type ShopRow } from './read-shops.js';
import { Shop, ShopConnection, ShopOwner } from './shop.js';
import { UpdateShopInput, updateShop } from './update-shop.js';

/** Shops of one call; a page of orders has up to 10,000. */
const ownersMax = 10_000;

@Resolver(() => Shop)
export class ShopResolver {
  @Allow('anyone')
  @Query(() => Shop, {
    nullable: true,
    description: 'A shop by id or slug; null if there is none.',
  })
  shop(
    @Ctx() context: ShopContext,
    @Arg('id', () => UUID, { nullable: true, description: 'Id of the shop.' }) id?: string,
    @Arg('slug', () => String, { nullable: true, description: 'URL slug of the shop.' })
    slug?: string,
  ) {
    if (id) return loaderOf(context, loadShops).load(id);
    if (slug) return context.em.findOne(Shop, { slug });
    throw badInput({ id: 'id or slug is required' });
  }

  @Allow('anyone')
  @Query(() => ShopConnection, { description: 'All shops, newest first.' })
  shops(
    @Ctx() context: ShopContext,
    @Args(() => PageArgs) { first, after }: PageArgs,
    @Arg('search', () => String, {
      nullable: true,
      description:
        'Words of the name, beginnings of words, or parts of what is written without spaces; at most 100 characters. Blank: no search.',
    })
    search?: string,
  ) {
    return findShops(context, { first, after, search });
  }

  @Directive('@inaccessible')
  @Allow('caller:warehouse', 'caller:order')
  @ListMax(ownersMax)
  @Query(() => [ShopOwner], { description: 'Owners of shops; unknown ids are left out.' })
  async shopOwners(
    @Arg('ids', () => [UUID], { description: 'Ids of the shops.' }) ids: string[],
    @Ctx() context: ShopContext,
  ): Promise<ShopOwner[]> {
    const shops = await loadShops(ids, context);
    return shops.flatMap((shop) => (shop ? [{ shopId: shop.id, ownerId: shop.ownerId }] : []));
  }

  @Directive('@inaccessible')
  @Allow('caller:warehouse')
  @ListMax(shopsMax)
  @Query(() => [UUID], { description: 'Ids of the shops that a user owns.' })
  async shopsOfOwner(
    @Arg('ownerId', () => UUID, { description: 'The user.' }) ownerId: string,
    @Ctx() { em }: ShopContext,
  ): Promise<string[]> {
    const shops = await em.find(Shop, { ownerId }, { fields: ['id'] });
    return shops.map(({ id }) => id);
  }

  @Allow('vendor')
  @Mutation(() => Shop, {
    description:
      'Opens a shop for the signed-in vendor. Its first warehouse is created automatically.',
  })
  createShop(
    @Arg('input', () => CreateShopInput) input: CreateShopInput,
    @Ctx() context: ShopContext,
  ) {
    const mutation = { operation: 'createShop', input, results: [Shop] };
    return runOnce(context, mutation, (once) => createShop(context, input, once));
  }

  @Allow('shop-owner')
  @Mutation(() => Shop, { description: 'Changes the name or slug of a shop.' })
  updateShop(
    @Arg('input', () => UpdateShopInput) input: UpdateShopInput,
    @Ctx() context: ShopContext,
  ) {
    return updateShop(context, input);
  }

  @Allow('anyone')
  @FieldResolver(() => User, { nullable: true, description: 'The user who owns the shop.' })
  owner(@Root() shop: ShopRow): User {
    return { id: shop.ownerId };
  }
}
