import { Arg, Field, Int, ObjectType, Resolver, Root, Subscription } from 'type-graphql';
import { badInput } from '../../shared/errors.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { BeginsWithSnapshot, ResolvesWithoutArguments } from '../../shared/graphql/schema.js';
import { openingFeed } from '../../shared/messaging/opening-feed.js';
import { Allow } from '../../shared/rights/rights.js';
import { ProductVariant, Shop } from '../references.js';
import type { StockChanged } from '../signals/stock-signals.js';
import type { LiveContext } from './live-context.js';

@Allow('parent')
@ObjectType({ description: 'The availability of one variant in one shop, after a change.' })
export class StockChange {
  @Field(() => ProductVariant, { nullable: true, description: 'The variant.' })
  variant!: ProductVariant;

  @Field(() => Shop, { nullable: true, description: 'The shop.' })
  shop!: Shop;

  @Field(() => Int, { description: 'Units that can be bought.' })
  available!: number;

  @Field(() => Int, { description: 'Increases with each change of this variant in this shop.' })
  version!: number;

  @Field(() => Date, { description: 'When it changed.' })
  at!: Date;
}

const skusMax = 100;
const isSku = (text: string) => /^[^\p{Cc}\p{Cs}]{1,64}$/u.test(text);

@Resolver()
export class StockChangedResolver {
  @Allow('anyone')
  @BeginsWithSnapshot('version')
  @ResolvesWithoutArguments()
  @Subscription(() => StockChange, {
    description: 'Current availability first, then each change. Give `skus`, `shopId` or both.',
    subscribe: ({ args, context }) => openFeed(args, context as LiveContext),
  })
  stockChanged(
    @Root() change: StockChanged,
    @Arg('skus', () => [String], { nullable: true, description: 'Only these variants, 1 to 100.' })
    _skus?: string[],
    @Arg('shopId', () => UUID, {
      nullable: true,
      description:
        'Only this shop. Required to have at most 10,000 variants unless `skus` is given.',
    })
    _shopId?: string,
  ): StockChange {
    return {
      variant: { sku: change.sku },
      shop: { id: change.shopId },
      available: change.available,
      version: change.version,
      at: new Date(change.at),
    };
  }
}

function openFeed(args: { skus?: string[] | null; shopId?: string | null }, { app }: LiveContext) {
  const skus = args.skus ?? null;
  const shopId = args.shopId ?? null;
  if (!skus && !shopId) throw badInput({ skus: 'give skus, a shopId, or both' });
  if (skus && (skus.length === 0 || skus.length > skusMax)) {
    throw badInput({ skus: `must be 1 to ${skusMax}` });
  }
  if (skus && !skus.every(isSku)) throw badInput({ skus: 'must have 1 to 64 characters each' });
  return openingFeed((hasLeft) => app.feeds.open({ skus, shopId }, hasLeft));
}
