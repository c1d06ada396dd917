import { Arg, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import { conflict, isTryAgain } from '../../shared/errors.js';
import { loaderOf } from '../../shared/graphql/context.js';
import { result } from '../../shared/graphql/refusal.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { runOnce } from '../../shared/idempotency/run-once.js';
import { Allow } from '../../shared/rights/rights.js';
import type { ShopContext } from '../context.js';
import { Offer } from '../offer/offer.js';
import { loadOffers } from '../offer/read-offers.js';
import { SaleEvent } from '../sale/sale-event.js';
import { advanceSale } from './advance-sale.js';
import { cancelSale } from './cancel-sale.js';
import { createSale } from './create-sale.js';
import { pauseSale, resumeSale } from './pause-sale.js';
import { publishSale } from './publish-sale.js';
import { CreateSaleInput, SetSaleOffersInput, UpdateSaleInput } from './sale-input.js';
import { ChangeSaleResult, RefusedSaleLine, SaleNotAllocated } from './sale-not-allocated.js';
import { setSaleOffers } from './set-sale-offers.js';
import { updateSale } from './update-sale.js';

const IdArg = () => Arg('id', () => UUID, { description: 'The sale.' });

@Resolver()
export class SaleChangesResolver {
  @Allow('shop-owner')
  @Mutation(() => SaleEvent, {
    description: 'Creates a sale of a shop as a draft. Admins create platform events, too.',
  })
  createSale(
    @Arg('input', () => CreateSaleInput) input: CreateSaleInput,
    @Ctx() context: ShopContext,
  ) {
    const mutation = { operation: 'createSale', input, results: [SaleEvent] };
    return runOnce(context, mutation, (once) => createSale(context, input, once));
  }

  @Allow('shop-owner')
  @Mutation(() => SaleEvent, {
    description:
      'Changes a sale: a published one until 10 minutes before its start, a live one its name and to an earlier end.',
  })
  async updateSale(
    @Arg('input', () => UpdateSaleInput) input: UpdateSaleInput,
    @Ctx() context: ShopContext,
  ) {
    return completed(context, await updateSale(context, input));
  }

  @Allow('shop-owner')
  @Mutation(() => ChangeSaleResult, {
    description:
      'Puts offers into a sale, changes their terms, and takes offers out. Vendors join a platform event with offers of their shops. In a live sale only allocations change.',
  })
  async setSaleOffers(
    @Arg('input', () => SetSaleOffersInput) input: SetSaleOffersInput,
    @Ctx() context: ShopContext,
  ): Promise<typeof ChangeSaleResult> {
    return outcome(context, await setSaleOffers(context, input));
  }

  @Allow('shop-owner')
  @Mutation(() => ChangeSaleResult, {
    description:
      'Publishes a draft once the units of all its offers are set aside. It is PUBLISHING while that is not known.',
  })
  async publishSale(
    @IdArg() id: string,
    @Ctx() context: ShopContext,
  ): Promise<typeof ChangeSaleResult> {
    return outcome(context, await publishSale(context, id));
  }

  @Allow('shop-owner')
  @Mutation(() => SaleEvent, {
    description:
      'Pauses a published sale: nothing can be bought in it. What is held can be paid for, and its window stays the same.',
  })
  pauseSale(@IdArg() id: string, @Ctx() context: ShopContext) {
    return pauseSale(context, id);
  }

  @Allow('shop-owner')
  @Mutation(() => SaleEvent, { description: 'Resumes a paused sale.' })
  resumeSale(@IdArg() id: string, @Ctx() context: ShopContext) {
    return resumeSale(context, id);
  }

  @Allow('shop-owner')
  @Mutation(() => SaleEvent, {
    description:
      'Cancels a sale and frees its units. What is held can be paid for, and orders stay valid.',
  })
  async cancelSale(@IdArg() id: string, @Ctx() context: ShopContext) {
    return completed(context, await cancelSale(context, id));
  }
}

@Resolver(() => RefusedSaleLine)
export class RefusedSaleLineResolver {
  @Allow('parent')
  @FieldResolver(() => Offer, { nullable: true, description: 'The offer.' })
  offer(@Root() { offerId }: RefusedSaleLine, @Ctx() context: ShopContext) {
    return loaderOf(context, loadOffers).load(offerId);
  }
}

/**
 * The sale once its change is completed, or as it is while the warehouse does not answer: a worker goes on.
 *
 * @throws `CONFLICT` for a change that was dropped, but for one that the warehouse refused
 */
async function completed(context: ShopContext, begun: SaleEvent): Promise<SaleEvent> {
  if (begun.step === null) return begun;
  const { id, revision } = begun;
  await advanceSale(context.app, context.em, id).catch((error: Error) =>
    context.logger[isTryAgain(error) ? 'warn' : 'error'](
      { err: error, saleId: id },
      'sale not changed yet',
    ),
  );
  const sale = await context.em.fork().findOneOrFail(SaleEvent, id);
  const refused = sale.refused?.revision === revision ? sale.refused : null;
  if (refused && 'conflict' in refused) throw conflict(refused.conflict);
  return sale;
}

/** As `completed`, or why the warehouse refused the change. */
async function outcome(context: ShopContext, begun: SaleEvent): Promise<typeof ChangeSaleResult> {
  const sale = await completed(context, begun);
  const { refused } = sale;
  // Another change may have been refused since.
  if (begun.step === null || refused?.revision !== begun.revision || !('lines' in refused))
    return sale;
  const { lines } = refused;
  return result(SaleNotAllocated, {
    message: `Too few units for ${lines.length} of the offers. Lower their allocations and try again.`,
    lines: lines.map((line) => result(RefusedSaleLine, line)),
  });
}
