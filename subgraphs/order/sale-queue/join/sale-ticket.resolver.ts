import {
  Arg,
  Ctx,
  createUnionType,
  FieldResolver,
  Int,
  Mutation,
  Query,
  Resolver,
  Root,
} from 'type-graphql';
import { ChallengeTokenArg } from '../../../shared/challenge/challenge-token-field.js';
import { UUID } from '../../../shared/graphql/scalars.js';
import { Allow } from '../../../shared/rights/rights.js';
import { SaleNotOpen } from '../../cart/sale-not-open.js';
import { NotEligible } from '../../checkout/sale-refusals.js';
import { admissionEnd } from '../admission-end.js';
import type { SaleQueue } from '../sale-queue.js';
import { SaleTicket } from '../sale-ticket.js';
import type { JoinContext } from './join-app.js';
import { findTicket, joinSale } from './join-sale.js';
import { leaveSale } from './leave-sale.js';

export const JoinSaleResult = createUnionType({
  name: 'JoinSaleResult',
  description: 'The ticket, or why the customer cannot join the queue.',
  types: () => [SaleTicket, NotEligible, SaleNotOpen] as const,
});

const SaleIdArg = () => Arg('saleId', () => UUID, { description: 'Id of the sale.' });

@Resolver(() => SaleTicket)
export class SaleTicketResolver {
  @Allow('signed-in')
  @Mutation(() => JoinSaleResult, {
    description:
      'Joins the queue of a sale. Each customer has one ticket: repeated, it returns the same one.',
  })
  joinSale(
    @SaleIdArg() saleId: string,
    @Ctx() context: JoinContext,
    @ChallengeTokenArg() challengeToken?: string | null,
  ) {
    return joinSale(context, saleId, challengeToken);
  }

  @Allow('signed-in')
  @Mutation(() => SaleTicket, {
    nullable: true,
    description:
      'Leaves the queue of a sale; null without a ticket. Once the list is closed, a customer who joins again is at the end of the queue.',
  })
  leaveSale(@SaleIdArg() saleId: string, @Ctx() context: JoinContext) {
    return leaveSale(context, saleId);
  }

  @Allow('signed-in')
  @Query(() => SaleTicket, {
    nullable: true,
    description: 'The signed-in user’s ticket of the queue of a sale; null without one.',
  })
  saleTicket(@SaleIdArg() saleId: string, @Ctx() context: JoinContext) {
    return findTicket(context, saleId);
  }

  @Allow('parent')
  @FieldResolver(() => Int, {
    nullable: true,
    description:
      'Tickets up to this one that have not been called: `number` less `servingNumber`; 0 for one that was called. Null before the draw, and for one that was left.',
  })
  async position(@Root() ticket: SaleTicket, @Ctx() context: JoinContext) {
    if (ticket.number === null || ticket.leftAt) return null;
    const { servingNumber } = await queueOf(context, ticket);
    return Math.max(0, ticket.number - servingNumber);
  }

  @Allow('parent')
  @FieldResolver(() => Date, {
    nullable: true,
    description:
      'Until when the customer may order; pauses of the sale make it later. Null while the ticket waits.',
  })
  async admittedUntil(@Root() ticket: SaleTicket, @Ctx() context: JoinContext) {
    return ticket.admittedAt && admissionEnd(ticket, await queueOf(context, ticket));
  }

  @Allow('parent')
  @FieldResolver(() => String, {
    description:
      'Signed proof of the ticket: a compact JWS (EdDSA) with its id as `sub`, `sale`, `early` and `joinedAt`. The keys are in `SaleDraw.receiptKeys`.',
  })
  receipt(@Root() ticket: SaleTicket, @Ctx() { app }: JoinContext): Promise<string> {
    return app.receipts.sign(ticket);
  }
}

const queueOf = async ({ app }: JoinContext, { saleId }: SaleTicket): Promise<SaleQueue> =>
  (await app.queueReads.queue(saleId)) as SaleQueue;
