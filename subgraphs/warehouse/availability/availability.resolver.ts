import {
  Ctx,
  Field,
  FieldResolver,
  Int,
  ObjectType,
  Resolver,
  Root,
  registerEnumType,
} from 'type-graphql';
import { sqlPrepared } from '../../shared/database/sql.js';
import { type BatchLoad, inOrderOf, loaderOf } from '../../shared/graphql/context.js';
import { Allow } from '../../shared/rights/rights.js';
import type { WarehouseContext } from '../context.js';
import { Availability, intMax } from './availability.js';

export const UnavailableReason = {
  INACTIVE_WAREHOUSE: 'INACTIVE_WAREHOUSE',
  RESERVED_BY_OTHERS: 'RESERVED_BY_OTHERS',
  IN_TRANSIT: 'IN_TRANSIT',
} as const;
export type UnavailableReason = keyof typeof UnavailableReason;
registerEnumType(UnavailableReason, {
  name: 'UnavailableReason',
  description: 'Why units cannot be bought now.',
  valuesConfig: {
    INACTIVE_WAREHOUSE: { description: 'They stand in a warehouse that is closed for sale.' },
    RESERVED_BY_OTHERS: { description: 'They are promised to orders that are not paid yet.' },
    IN_TRANSIT: { description: 'They are on their way to a warehouse that is open for sale.' },
  },
});

@Allow('parent')
@ObjectType({ description: 'Units that are there, or coming, and cannot be bought now.' })
export class AvailabilityReason {
  @Field(() => UnavailableReason, { description: 'Why not.' })
  reason!: UnavailableReason;

  @Field(() => Int, { description: 'How many.' })
  quantity!: number;
}

/** What the levels of a variant add up to. */
interface Shelved {
  readonly sku: string;
  readonly shopId: string | null;
  readonly incoming: number;
  readonly reserved: number;
  readonly inactive: number;
  readonly threshold: number;
}
type ShelvedKey = Pick<Shelved, 'sku' | 'shopId'>;

const keyOf = ({ shopId, sku }: ShelvedKey) => `${shopId} ${sku}`;
const sumOf = (what: string, where: string) =>
  `least(coalesce(sum(${what}) filter (where ${where}), 0), ${intMax})::int`;

/** One statement for all keys of a request, of a shop or of all. */
const loadShelved: BatchLoad<ShelvedKey, Shelved, WarehouseContext> = async (keys, { em }) => {
  const rows = await sqlPrepared<Shelved>(
    em,
    `select k.shop_id as "shopId", k.sku,
       ${sumOf('l.incoming', 'w.active')} as incoming,
       ${sumOf('l.reserved', 'w.active')} as reserved,
       ${sumOf('l.on_hand - l.reserved', 'not w.active')} as inactive,
       ${sumOf('l.low_stock_threshold', 'w.active')} as threshold
     from (select distinct * from unnest($1::uuid[], $2::varchar[])) as k (shop_id, sku)
       left join stock_level l on l.sku = k.sku and (k.shop_id is null or l.shop_id = k.shop_id)
       left join warehouse w on w.id = l.warehouse_id
     group by k.shop_id, k.sku`,
    [keys.map(({ shopId }) => shopId), keys.map(({ sku }) => sku)],
  );
  return inOrderOf(keys.map(keyOf), rows, keyOf) as Shelved[];
};

@Resolver(() => Availability)
export class AvailabilityResolver {
  @Allow('parent')
  @FieldResolver(() => Int, { description: 'Units on their way in transfers, to be bought later.' })
  async incoming(@Root() root: Availability, @Ctx() context: WarehouseContext): Promise<number> {
    return (await shelvedOf(root, context)).incoming;
  }

  @Allow('parent')
  @FieldResolver(() => Boolean, {
    description: 'Whether it is sold out, or less is left than its levels’ thresholds add up to.',
  })
  async isLowStock(@Root() root: Availability, @Ctx() context: WarehouseContext) {
    return root.available === 0 || root.available < (await shelvedOf(root, context)).threshold;
  }

  @Allow('parent')
  @FieldResolver(() => [AvailabilityReason], { description: 'Why there is not more to buy.' })
  async reasons(@Root() root: Availability, @Ctx() context: WarehouseContext) {
    const { inactive, reserved, incoming } = await shelvedOf(root, context);
    const all: AvailabilityReason[] = [
      { reason: 'INACTIVE_WAREHOUSE', quantity: inactive },
      { reason: 'RESERVED_BY_OTHERS', quantity: reserved },
      { reason: 'IN_TRANSIT', quantity: incoming },
    ];
    return all.filter(({ quantity }) => quantity > 0);
  }
}

const shelvedOf = ({ sku, shopId }: Availability, context: WarehouseContext) =>
  loaderOf(context, loadShelved).load({ sku, shopId });
