import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { Allow } from '../../shared/rights/rights.js';
import { checkout } from './checkout.js';
import { CheckoutInput } from './checkout-input.js';
import { CheckoutResult } from './checkout-result.js';
import type { CheckoutContext } from './checkout-writes.js';

@Resolver()
export class CheckoutResolver {
  @Allow('signed-in')
  @Mutation(() => CheckoutResult, {
    description: 'Places an order across shops and reserves its stock, all or nothing.',
  })
  checkout(
    @Arg('input', () => CheckoutInput) input: CheckoutInput,
    @Ctx() context: CheckoutContext,
  ) {
    return checkout(context, input);
  }
}
