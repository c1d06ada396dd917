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
  type EndReason,
  endReasons,
  type ReleaseRequest,
  type ReservationAnswer,
  type ReserveLine,
  type ReserveRequest,
  type Shortage,
} from '../../contracts/reservation.js';
import { badInput } from '../../shared/errors.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';
import {
  commitReservation,
  type ReservationContext,
  releaseReservation,
  reserveStock,
} from './engine.js';

const requestsMax = 256;
const linesMax = 100;
const quantityMax = 1_000_000;
const holdMaxMs = 7 * 24 * 3_600_000;
const answerWithinMax = 10_000;

@Directive('@inaccessible')
@InputType({ description: 'Units of one variant of one shop.' })
export class ReserveLineInput implements ReserveLine {
  @Field(() => UUID, { description: 'The shop that sells.' })
  shopId!: string;

  @Field(() => String, { description: 'What is sold.' })
  @Length(1, 64)
  sku!: string;

  @Field(() => Int, { description: 'How many units.' })
  @Min(1)
  @Max(quantityMax)
  quantity!: number;
}

@Directive('@inaccessible')
@InputType({ description: 'What is to be held for one order, all or nothing.' })
export class ReserveInput implements ReserveRequest {
  @Field(() => UUID, { description: 'The order; asking twice for it reserves once.' })
  orderId!: string;

  @Field(() => [ReserveLineInput], { description: 'What to hold.' })
  @ValidateNested({ each: true })
  @ArrayMinSize(1)
  @ArrayMaxSize(linesMax)
  lines!: ReserveLineInput[];

  @Field(() => Int, { description: 'For how long, in milliseconds.' })
  @Min(1)
  @Max(holdMaxMs)
  holdForMs!: number;
}

@Directive('@inaccessible')
@InputType({ description: 'Which order is paid, and by which payment.' })
export class CommitInput implements CommitRequest {
  @Field(() => UUID, { description: 'The order.' })
  orderId!: string;

  @Field(() => UUID, { description: 'The payment that buys what is held.' })
  paymentId!: string;
}

@Directive('@inaccessible')
@InputType({ description: 'Which order is given up, and why.' })
export class ReleaseInput implements ReleaseRequest {
  @Field(() => UUID, { description: 'The order.' })
  orderId!: string;

  @Field(() => String, {
    description: 'PAYMENT_TIMEOUT, PAYMENT_FAILED, BY_CUSTOMER or ABANDONED.',
  })
  @IsIn(endReasons)
  reason!: EndReason;

  @Field(() => UUID, {
    nullable: true,
    description: 'The user who gives it up; it comes back with the news that it was released.',
  })
  actor?: string | null;
}

@Directive('@inaccessible')
@Allow('parent')
@ObjectType({ description: 'A line that could not be held.' })
export class ShortageOutput implements Shortage {
  @Field(() => UUID, { description: 'The shop.' })
  shopId!: string;

  @Field(() => String, { description: 'The variant.' })
  sku!: string;

  @Field(() => Int, { description: 'Units that were asked for.' })
  requested!: number;

  @Field(() => Int, { description: 'Units that were left.' })
  available!: number;
}

@Directive('@inaccessible')
@Allow('parent')
@ObjectType({ description: 'What became of a reservation.' })
export class ReservationOutput implements ReservationAnswer<Date> {
  @Field(() => UUID, { description: 'The order.' })
  orderId!: string;

  @Field(() => String, { description: 'HELD, SHORT, COMMITTED, RELEASED, EXPIRED or WAITING.' })
  state!: ReservationAnswer['state'];

  @Field(() => Date, { nullable: true, description: 'Until when it is held.' })
  expiresAt?: Date | null;

  @Field(() => UUID, { nullable: true, description: 'The payment that has it.' })
  paymentId?: string | null;

  @Field(() => [ShortageOutput], { nullable: true, description: 'Why nothing is held.' })
  shortages?: ShortageOutput[] | null;
}

type Answer = Promise<ReservationAnswer<Date>>;

const clamp = (ms: number) => Math.min(Math.max(ms, 1), answerWithinMax);

function atMost<T>(requests: T[]): T[] {
  if (requests.length <= requestsMax) return requests;
  throw badInput({ requests: `must be at most ${requestsMax}` });
}

/**
 * What the order subgraph asks of the stock; nobody else may. A request that fails is null in the
 * list, with an error at its index, and keeps up none of the others.
 */
@Resolver()
export class ReservationResolver {
  @Directive('@inaccessible')
  @Allow('caller:order')
  @Mutation(() => [ReservationOutput], {
    nullable: 'items',
    description: 'Holds stock for orders, in their order.',
  })
  reserveStock(
    @Arg('requests', () => [ReserveInput]) requests: ReserveInput[],
    @Ctx() { app }: ReservationContext,
    @Arg('answerWithinMs', () => Int, {
      nullable: true,
      description: 'After that, 1 to 10,000, what is not decided yet is WAITING: ask again.',
    })
    answerWithinMs?: number | null,
  ): Answer[] {
    const late = answerWithinMs ? sleep(clamp(answerWithinMs), null, { ref: false }) : null;
    return atMost(requests).map((request) => {
      const outcome = reserveStock(app, request);
      const { orderId } = request;
      return late
        ? Promise.race([outcome, late.then(() => ({ orderId, state: 'WAITING' as const }))])
        : outcome;
    });
  }

  @Directive('@inaccessible')
  @Allow('caller:order')
  @Mutation(() => [ReservationOutput], {
    nullable: 'items',
    description: 'Sells what is held to its payment.',
  })
  commitReservation(
    @Arg('requests', () => [CommitInput]) requests: CommitInput[],
    @Ctx() { app }: ReservationContext,
  ): Answer[] {
    return atMost(requests).map((request) => commitReservation(app, request));
  }

  @Directive('@inaccessible')
  @Allow('caller:order')
  @Mutation(() => [ReservationOutput], {
    nullable: 'items',
    description: 'Puts what is held back on the shelf.',
  })
  releaseReservation(
    @Arg('requests', () => [ReleaseInput]) requests: ReleaseInput[],
    @Ctx() { app }: ReservationContext,
  ): Answer[] {
    return atMost(requests).map((request) => releaseReservation(app, request));
  }
}
