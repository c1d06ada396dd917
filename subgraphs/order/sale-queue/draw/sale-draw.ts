import { Field, Int, ObjectType } from 'type-graphql';
import { connectionOf } from '../../../shared/graphql/connection.js';
import { UUID } from '../../../shared/graphql/scalars.js';
import { Allow } from '../../../shared/rights/rights.js';
import { listClosesAt } from '../queue-times.js';
import type { SaleQueue } from '../sale-queue.js';
import { sha256 } from './draw-order.js';

@Allow('parent')
@ObjectType({ description: 'A ticket of the list, and its number in the draw.' })
export class DrawnTicket {
  @Field(() => UUID, { description: 'Id of the ticket.' })
  id!: string;

  @Field(() => Int, { description: 'Number in the draw, from 1.' })
  drawNumber!: number;
}

export const DrawnTicketConnection = connectionOf(DrawnTicket, 'DrawnTicket');

@Allow('parent')
@ObjectType({
  description:
    'The draw of the queue of a sale. The order is that of HMAC-SHA256(seed, beacon ‖ listHash ‖ ticket id), as bytes; `beacon` is the SHA-256 of `beaconSignature`, empty without a beacon.',
})
export class SaleDraw {
  @Field(() => UUID, { description: 'Id of the sale.' })
  saleId!: string;

  @Field(() => Date, { description: 'Start of the sale.' })
  startsAt!: Date;

  @Field(() => String, { description: 'SHA-256 of the seed, in hex; published with the queue.' })
  seedHash!: string;

  @Field(() => String, {
    nullable: true,
    description: 'The seed, 32 bytes in hex; null before the draw.',
  })
  seed!: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Hash of the chain of drand, in hex; null for a draw without a beacon.',
  })
  beaconChain!: string | null;

  @Field(() => Int, {
    nullable: true,
    description:
      'The round of that chain that is used; due 15 s before the start. Null without a beacon.',
  })
  beaconRound!: number | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Signature of that round, 48 bytes in hex; null before the draw, without a beacon, and for an empty list.',
  })
  beaconSignature!: string | null;

  @Field(() => Date, {
    description: 'When the list of early tickets closes: 30 s before the start.',
  })
  listClosesAt!: Date;

  @Field(() => Date, { nullable: true, description: 'When it was closed; null while it is open.' })
  closedAt!: Date | null;

  @Field(() => Int, { nullable: true, description: 'Tickets of the list; null while it is open.' })
  listCount!: number | null;

  @Field(() => String, {
    nullable: true,
    description:
      'SHA-256 of the ids of its tickets, 16 bytes each, in ascending order; in hex. Null while it is open.',
  })
  listHash!: string | null;

  @Field(() => Date, { nullable: true, description: 'When it was drawn; null before.' })
  drawnAt!: Date | null;

  @Field(() => String, {
    description: 'Public keys of receipts of tickets, a JSON Web Key Set.',
  })
  receiptKeys!: string;
}

const hex = (bytes: Buffer | null) => bytes?.toString('hex') ?? null;

/** What everybody may know of a draw now: the seed and the beacon only once it is done. */
export function publicDraw(queue: SaleQueue, receiptKeys: string): SaleDraw {
  const { saleId, startsAt, seed, beaconChain, beaconRound, closedAt, listCount, drawnAt } = queue;
  return Object.assign(new SaleDraw(), {
    ...{ saleId, startsAt, beaconChain, beaconRound, closedAt, listCount, drawnAt, receiptKeys },
    seedHash: sha256(seed).toString('hex'),
    seed: drawnAt ? hex(seed) : null,
    beaconSignature: drawnAt ? hex(queue.beaconSignature) : null,
    listClosesAt: listClosesAt(queue),
    listHash: hex(queue.listHash),
  });
}
