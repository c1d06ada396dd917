import { Arg, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';
import { identityOf } from '../../shared/auth/callers.js';
import { currencyDefault } from '../../shared/currencies.js';
import { loaderOf } from '../../shared/graphql/context.js';
import { ListMax } from '../../shared/graphql/list-max.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { runOnce } from '../../shared/idempotency/run-once.js';
import { lineTotal, Money, money, sumOf } from '../../shared/money.js';
import { Allow } from '../../shared/rights/rights.js';
import type { OrderContext } from '../context.js';
import { Offer } from '../references.js';
import { Cart, CartItem, type CartLine } from './cart.js';
import { CartProblem, loadProblems } from './cart-problem.js';
import { InsufficientStock, OfferGone, PurchaseLimitExceeded } from './cart-refusals.js';
import { AddToCartInput, CartResult, SetCartItemInput } from './cart-types.js';
import { cartItemsMax } from './change-cart.js';
import { putInCart } from './put-in-cart.js';
import { loadCartLines, readCart } from './read-cart.js';
import { removeFromCart } from './remove-from-cart.js';
import { SaleNotOpen } from './sale-not-open.js';

const totalOf = (line: CartLine) => lineTotal(line.unitPriceAmount, line.quantity);

@Resolver(() => Cart)
export class CartResolver {
  @Allow('signed-in')
  @Query(() => Cart, { description: 'The cart of the signed-in customer.' })
  cart(@Ctx() context: OrderContext) {
    return readCart(context.em, identityOf(context).id);
  }

  @Allow('signed-in')
  @Mutation(() => CartResult, {
    description:
      'Adds units of an offer to the cart, at the current price or that of a sale. Nothing is reserved.',
  })
  addToCart(
    @Arg('input', () => AddToCartInput) input: AddToCartInput,
    @Ctx() context: OrderContext,
  ) {
    const results = [Cart, InsufficientStock, PurchaseLimitExceeded, OfferGone, SaleNotOpen];
    const mutation = { operation: 'addToCart', input, results };
    return runOnce(context, mutation, (once) => putInCart(context, input, 'add', once));
  }

  @Allow('signed-in')
  @Mutation(() => CartResult, {
    description:
      'Sets the units of an offer in the cart, at the current price or that of a sale. To remove the line, use `removeFromCart`.',
  })
  setCartItem(
    @Arg('input', () => SetCartItemInput) input: SetCartItemInput,
    @Ctx() context: OrderContext,
  ) {
    return putInCart(context, input, 'set');
  }

  @Allow('signed-in')
  @Mutation(() => Cart, { description: 'Removes a line from the cart, if it is there.' })
  removeFromCart(
    @Arg('offerId', () => UUID, { description: 'The offer.' }) offerId: string,
    @Arg('saleId', () => UUID, {
      nullable: true,
      description: 'The sale of the line; null for the line at the regular price.',
    })
    saleId: string | null,
    @Ctx() context: OrderContext,
  ) {
    return removeFromCart(context, { offerId, saleId: saleId ?? null });
  }

  @Allow('signed-in')
  @Mutation(() => Cart, { description: 'Removes all lines from the cart.' })
  clearCart(@Ctx() context: OrderContext) {
    return removeFromCart(context, null);
  }

  @Allow('signed-in')
  @ListMax(cartItemsMax)
  @FieldResolver(() => [CartItem], { description: 'Lines, in the order in which they were added.' })
  items(@Root() cart: Cart, @Ctx() context: OrderContext) {
    return loaderOf(context, loadCartLines).load(cart.customerId);
  }

  @Allow('signed-in')
  @FieldResolver(() => Money, {
    nullable: true,
    description:
      'Sum of all lines; 0 USD if the cart is empty, null if its prices are in several currencies.',
  })
  async total(@Root() cart: Cart, @Ctx() context: OrderContext): Promise<Money | null> {
    const lines = await loaderOf(context, loadCartLines).load(cart.customerId);
    const currencies = new Set(lines.map(({ currencyCode }) => currencyCode));
    const [currency = currencyDefault] = currencies;
    return currencies.size > 1 ? null : money(sumOf(lines.map(totalOf)), currency);
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
  @FieldResolver(() => Money, { description: 'Price of one unit when the line was last changed.' })
  unitPrice(@Root() line: CartLine): Money {
    return money(line.unitPriceAmount, line.currencyCode);
  }

  @Allow('parent')
  @FieldResolver(() => Money, { description: 'Price of all units of this line.' })
  lineTotal(@Root() line: CartLine): Money {
    return money(totalOf(line), line.currencyCode);
  }

  @Allow('parent')
  @FieldResolver(() => CartProblem, {
    nullable: true,
    description: 'Why the line cannot be checked out as it is; null if it can.',
  })
  problem(@Root() line: CartLine, @Ctx() context: OrderContext) {
    return loaderOf(context, loadProblems).load(line);
  }
}
