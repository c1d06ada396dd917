import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { identityOf } from '../../shared/auth/callers.js';
import { isTryAgain } from '../../shared/errors.js';
import type { SubgraphContext } from '../../shared/graphql/context.js';
import { Refusal } from '../../shared/graphql/refusal.js';
import { Allow } from '../../shared/rights/rights.js';
import type { CountingApp, LineOfSale } from '../sale/report/count-refusals.js';
import { checkout } from './checkout.js';
import { CheckoutInput } from './checkout-input.js';
import { CheckoutResult } from './checkout-result.js';
import type { CheckoutContext } from './checkout-writes.js';
import { SaleOnly } from './sale-refusals.js';

@Resolver()
export class CheckoutResolver {
  @Allow('signed-in')
  @Mutation(() => CheckoutResult, {
    description: 'Places an order across shops and reserves its stock, all or nothing.',
  })
  async checkout(
    @Arg('input', () => CheckoutInput) input: CheckoutInput,
    @Ctx() context: CheckoutContext & SubgraphContext<CountingApp>,
  ) {
    const count = (kind: string, inSales: readonly LineOfSale[] = []) =>
      context.app.refusals.count(identityOf(context).id, input.items, kind, inSales);
    try {
      const outcome = await checkout(context, input);
      const inSales = outcome instanceof SaleOnly ? outcome.inSales : [];
      if (outcome instanceof Refusal) count(outcome.constructor.name, inSales);
      return outcome;
    } catch (error) {
      if (isTryAgain(error)) count('TRY_AGAIN');
      throw error;
    }
  }
}
