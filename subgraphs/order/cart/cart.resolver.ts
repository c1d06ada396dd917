import { Arg, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';
import { loaderOf } from '../../shared/graphql/context.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { lineTotal, Money, money, sumOf } from '../../shared/money.js';
import { Allow } from '../../shared/rights/rights.js';
import type { OrderContext } from '../context.js';
import { Offer } from '../references.js';
import { Cart, CartItem, type CartLine } from './cart.js';
import { CartProblem, loadProblems } from './cart-problem.js';
import { CartItemInput, CartResult } from './cart-types.js';
import { putInCart } from './put-in-cart.js';
import { loadCartLines, readCart } from './read-cart.js';
import { removeFromCart } from './remove-from-cart.js';

const totalOf = (line: CartLine) => lineTotal(line.unitPriceAmount, line.quantity);

@Resolver(() => Cart)
export class CartResolver {
  @Allow('signed-in')
  @Query(() => Cart, { description: 'One’s own cart.' })
  cart(@Ctx() context: OrderContext) {
    return readCart(context);
  }

  @Allow('signed-in')
  @Mutation(() => CartResult, {
    description:
      'Adds units of an offer to those in the cart, at the price of this moment. Nothing is held.',
  })
  addToCart(@Arg('input', () => CartItemInput) input: CartItemInput, @Ctx() context: OrderContext) {
    return putInCart(context, input, 'add');
  }

  @Allow('signed-in')
  @Mutation(() => CartResult, {
    description:
      'Sets how many units of an offer are in the cart, at the price of this moment; at least 1: `removeFromCart` takes it out.',
  })
  setCartItem(
    @Arg('input', () => CartItemInput) input: CartItemInput,
    @Ctx() context: OrderContext,
  ) {
    return putInCart(context, input, 'set');
  }

  @Allow('signed-in')
  @Mutation(() => Cart, { description: 'Takes an offer out of the cart, if it is in it.' })
  removeFromCart(
    @Arg('offerId', () => UUID, { description: 'The offer.' }) offerId: string,
    @Ctx() context: OrderContext,
  ) {
    return removeFromCart(context, offerId);
  }

  @Allow('signed-in')
  @Mutation(() => Cart, { description: 'Takes everything out of the cart.' })
  clearCart(@Ctx() context: OrderContext) {
    return removeFromCart(context, null);
  }

  @Allow('signed-in')
  @FieldResolver(() => [CartItem], { description: 'What is in it, in the order in which it came.' })
  items(@Root() cart: Cart, @Ctx() context: OrderContext) {
    return loaderOf(context, loadCartLines).load(cart.id);
  }

  @Allow('signed-in')
  @FieldResolver(() => Money, {
    nullable: true,
    description: 'The sum of its lines; null when it is empty, or they are in several currencies.',
  })
  async total(@Root() cart: Cart, @Ctx() context: OrderContext): Promise<Money | null> {
    const lines = await loaderOf(context, loadCartLines).load(cart.id);
    const [currency, ...others] = new Set(lines.map(({ currencyCode }) => currencyCode));
    return currency && others.length === 0 ? money(sumOf(lines.map(totalOf)), currency) : null;
  }
}

@Resolver(() => CartItem)
export class CartItemResolver {
  @Allow('parent')
  @FieldResolver(() => Offer, { nullable: true, description: 'The offer.' })
  offer(@Root() line: CartLine): Offer {
    return { id: line.offerId };
  }

  @Allow('parent')
  @FieldResolver(() => Money, { description: 'The price of one unit, as it was then.' })
  unitPrice(@Root() line: CartLine): Money {
    return money(line.unitPriceAmount, line.currencyCode);
  }

  @Allow('parent')
  @FieldResolver(() => Money, { description: 'The price of all units of this line.' })
  lineTotal(@Root() line: CartLine): Money {
    return money(totalOf(line), line.currencyCode);
  }

  @Allow('parent')
  @FieldResolver(() => CartProblem, {
    nullable: true,
    description: 'What stands between this line and a checkout, as of now; null: nothing.',
  })
  problem(@Root() line: CartLine, @Ctx() context: OrderContext) {
    return loaderOf(context, loadProblems).load(line);
  }
}
