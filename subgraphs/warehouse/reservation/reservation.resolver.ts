import { setTimeout as sleep } from 'node:timers/promises';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsIn,
  Length,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';
import {
  Arg,
  Ctx,
  Directive,
  Field,
  InputType,
  Int,
  Mutation,
  ObjectType,
  Resolver,
} from 'type-graphql';
import {
  type CommitRequest,
  type ExtendRequest,
  type ReleaseReason,
  type ReleaseRequest,
  type ReservationAnswer,
  type ReserveLine,
  type ReserveRequest,
  releaseReasons,
  type SaleShortage,
  type Shortage,
} from '../../contracts/reservation.js';
import { badInput } from '../../shared/errors.js';
import { ListMax } from '../../shared/graphql/list-max.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';
import {
  commitReservation,
  extendReservation,
  type ReservationContext,
  releaseReservation,
  reserveStock,
  reserveStockBefore,
} from './engine.js';

const requestsMax = 256;
const linesMax = 100;
const quantityMax = 1_000_000;
const reserveMaxMs = 7 * 24 * 3_600_000;
const answerWithinMax = 10_000;

@Directive('@inaccessible')
@InputType({ description: 'Units of one variant in one shop.' })
export class ReserveLineInput implements ReserveLine {
  @Field(() => UUID, { description: 'The shop.' })
  shopId!: string;

  @Field(() => String, { description: 'The variant.' })
  @Length(1, 64)
  sku!: string;

  @Field(() => Int, { description: 'Units, 1 to 1,000,000.' })
  @Min(1)
  @Max(quantityMax)
  quantity!: number;

  @Field(() => UUID, {
    nullable: true,
    description: 'The sale from whose allocation they are taken; null for regular units.',
  })
  saleId?: string | null;
}

@Directive('@inaccessible')
@InputType({ description: 'A reservation for one order: all of its lines or none.' })
export class ReserveInput implements ReserveRequest {
  @Field(() => UUID, { description: 'The order. A second request for it reserves nothing more.' })
  orderId!: string;

  @Field(() => [ReserveLineInput], { description: 'The units, 1 to 100 lines.' })
  @ValidateNested({ each: true })
  @ArrayMinSize(1)
  @ArrayMaxSize(linesMax)
  lines!: ReserveLineInput[];

  @Field(() => Int, { description: 'Duration in milliseconds, up to 7 days.' })
  @Min(1)
  @Max(reserveMaxMs)
  reserveForMs!: number;
}

@Directive('@inaccessible')
@InputType({ description: 'A paid order and its payment.' })
export class CommitInput implements CommitRequest {
  @Field(() => UUID, { description: 'The order.' })
  orderId!: string;

  @Field(() => UUID, { description: 'The payment that the units are committed to.' })
  paymentId!: string;
}

@Directive('@inaccessible')
@InputType({ description: 'An order that ends unpaid, and why.' })
export class ReleaseInput implements ReleaseRequest {
  @Field(() => UUID, { description: 'The order.' })
  orderId!: string;

  @Field(() => String, {
    description: 'PAYMENT_TIMEOUT, PAYMENT_FAILED, BY_CUSTOMER or ABANDONED.',
  })
  @IsIn(releaseReasons)
  reason!: ReleaseReason;

  @Field(() => UUID, {
    nullable: true,
    description: 'The user who caused it, if it was one; part of the event that the release sends.',
  })
  actor?: string | null;
}

@Directive('@inaccessible')
@InputType({ description: 'An unpaid order that keeps its units for longer.' })
export class ExtendInput implements ExtendRequest {
  @Field(() => UUID, { description: 'The order.' })
  orderId!: string;

  @Field(() => Int, {
    description:
      'Duration in milliseconds since the units were reserved, up to 7 days. A reservation that lasts longer stays as it is.',
  })
  @Min(1)
  @Max(reserveMaxMs)
  reserveForMs!: number;
}

@Directive('@inaccessible')
@Allow('parent')
@ObjectType({ description: 'A line that there were too few units for.' })
export class ShortageOutput implements Shortage {
  @Field(() => UUID, { description: 'The shop.' })
  shopId!: string;

  @Field(() => String, { description: 'The variant.' })
  sku!: string;

  @Field(() => Int, { description: 'Units requested.' })
  requested!: number;

  @Field(() => Int, { description: 'Units available.' })
  available!: number;

  @Field(() => UUID, { nullable: true, description: 'The sale of the line, if it has one.' })
  saleId?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Of a line with a sale: HELD, SOLD_OUT or OVER.',
  })
  saleShortage?: SaleShortage | null;
}

@Directive('@inaccessible')
@Allow('parent')
@ObjectType({ description: 'The outcome of a request about a reservation.' })
export class ReservationOutput implements ReservationAnswer<Date> {
  @Field(() => UUID, { description: 'The order.' })
  orderId!: string;

  @Field(() => String, { description: 'HELD, SHORT, COMMITTED, RELEASED, EXPIRED or WAITING.' })
  state!: ReservationAnswer['state'];

  @Field(() => Date, { nullable: true, description: 'When a HELD reservation expires.' })
  expiresAt?: Date | null;

  @Field(() => UUID, {
    nullable: true,
    description: 'The payment that a COMMITTED reservation is committed to.',
  })
  paymentId?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'OUT_OF_STOCK if the reservation was to be committed, and units were missing.',
  })
  reason?: 'OUT_OF_STOCK' | null;

  @ListMax(linesMax)
  @Field(() => [ShortageOutput], {
    nullable: true,
    description: 'Of a SHORT outcome: the lines that there were too few units for.',
  })
  shortages?: ShortageOutput[] | null;
}

type Answer = Promise<ReservationAnswer<Date>>;

const clamp = (ms: number) => Math.min(Math.max(ms, 1), answerWithinMax);

function atMost<T>(requests: T[]): T[] {
  if (requests.length <= requestsMax) return requests;
  throw badInput({ requests: `must be at most ${requestsMax}` });
}

/**
 * Operations for the order subgraph only. A request that fails is null in the list, with an error
 * at its index, and does not affect the others.
 */
@Resolver()
export class ReservationResolver {
  @Directive('@inaccessible')
  @Allow('caller:order')
  @ListMax(requestsMax)
  @Mutation(() => [ReservationOutput], {
    nullable: 'items',
    description: 'Reserves stock for orders, in the order of the list.',
  })
  reserveStock(
    @Arg('requests', () => [ReserveInput]) requests: ReserveInput[],
    @Ctx() { app }: ReservationContext,
    @Arg('answerWithinMs', () => Int, {
      nullable: true,
      description:
        'Maximum wait in milliseconds, 1 to 10,000. Then undecided requests are WAITING; send them again.',
    })
    answerWithinMs?: number | null,
  ): Answer[] {
    const late = answerWithinMs ? sleep(clamp(answerWithinMs), null, { ref: false }) : null;
    return atMost(requests).map((request) => {
      const { orderId } = request;
      return late
        ? reserveStockBefore(app, request, late).then(
            (outcome) => outcome ?? { orderId, state: 'WAITING' as const },
          )
        : reserveStock(app, request);
    });
  }

  @Directive('@inaccessible')
  @Allow('caller:order')
  @ListMax(requestsMax)
  @Mutation(() => [ReservationOutput], {
    nullable: 'items',
    description: 'Commits reserved units to the payments of their orders.',
  })
  commitReservation(
    @Arg('requests', () => [CommitInput]) requests: CommitInput[],
    @Ctx() { app }: ReservationContext,
  ): Answer[] {
    return atMost(requests).map((request) => commitReservation(app, request));
  }

  @Directive('@inaccessible')
  @Allow('caller:order')
  @ListMax(requestsMax)
  @Mutation(() => [ReservationOutput], {
    nullable: 'items',
    description: 'Makes reserved units available again.',
  })
  releaseReservation(
    @Arg('requests', () => [ReleaseInput]) requests: ReleaseInput[],
    @Ctx() { app }: ReservationContext,
  ): Answer[] {
    return atMost(requests).map((request) => releaseReservation(app, request));
  }

  @Directive('@inaccessible')
  @Allow('caller:order')
  @ListMax(requestsMax)
  @Mutation(() => [ReservationOutput], {
    nullable: 'items',
    description:
      'Lets reserved units be held for longer. A reservation that is due stays as it is, and is EXPIRED in the answer.',
  })
  extendReservation(
    @Arg('requests', () => [ExtendInput]) requests: ExtendInput[],
    @Ctx() { app }: ReservationContext,
  ): Answer[] {
    return atMost(requests).map((request) => extendReservation(app, request));
  }
}
