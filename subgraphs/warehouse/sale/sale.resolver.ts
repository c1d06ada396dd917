import {
  ArrayMaxSize,
  ArrayUnique,
  IsISO8601,
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
  Query,
  Resolver,
} from 'type-graphql';
import {
  type SaleKey,
  saleKeysPerCall,
  saleOffersMax,
  salesPerCall,
} from '../../contracts/sale.js';
import type {
  AllocationLine,
  AllocationOutcome,
  RefusedAllocation,
  SaleAllocation,
  SaleStock,
  SaleUnits,
} from '../../contracts/warehouse.js';
import { badInput } from '../../shared/errors.js';
import { ListMax } from '../../shared/graphql/list-max.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';
import { onHandMax } from '../stock/item-room.js';
import type { StockContext } from '../stock/stock-store.js';
import { allocateSale } from './allocate-sale.js';
import { readSaleStock, readSaleUnits } from './read-sale-stock.js';

@Directive('@inaccessible')
@InputType({ description: 'Units of one variant that a sale sets aside.' })
export class AllocationLineInput implements AllocationLine {
  @Field(() => String, { description: 'The variant.' })
  @Length(1, 64)
  sku!: string;

  @Field(() => Int, {
    description: 'Units, 0 to 100,000,000; those that are held and sold included.',
  })
  @Min(0)
  @Max(onHandMax)
  units!: number;
}

@Directive('@inaccessible')
@InputType({ description: 'The units that a sale sets aside in one shop, as a whole.' })
export class SaleAllocationInput implements SaleAllocation {
  @Field(() => UUID, { description: 'The sale.' })
  saleId!: string;

  @Field(() => UUID, { description: 'The shop.' })
  shopId!: string;

  @Field(() => Int, {
    description: 'Rises with each change; one that is not above the last applied changes nothing.',
  })
  @Min(0)
  revision!: number;

  @Field(() => String, {
    description:
      'The end of the sale, an ISO 8601 time. Units that are not held are regular ones from then on.',
  })
  @IsISO8601()
  endsAt!: string;

  @Field(() => [AllocationLineInput], {
    description: 'Up to 2,000 variants, each once. None: the sale is cancelled.',
  })
  @ValidateNested({ each: true })
  @ArrayMaxSize(saleOffersMax)
  @ArrayUnique(({ sku }: AllocationLineInput) => sku)
  lines!: AllocationLineInput[];
}

@Directive('@inaccessible')
@Allow('parent')
@ObjectType({ description: 'A line of an allocation that cannot be set aside as requested.' })
export class RefusedAllocationOutput implements RefusedAllocation {
  @Field(() => String, { description: 'The variant.' })
  sku!: string;

  @Field(() => Int, { description: 'Units requested.' })
  units!: number;

  @Field(() => Int, { description: 'Units that are held and sold.' })
  least!: number;

  @Field(() => Int, { description: 'Units that are held, sold and available.' })
  most!: number;

  @Field(() => UUID, {
    nullable: true,
    description: 'Another sale that has units of it set aside.',
  })
  otherSaleId!: string | null;
}

@Directive('@inaccessible')
@Allow('parent')
@ObjectType({ description: 'What became of an allocation.' })
export class AllocationOutcomeOutput implements AllocationOutcome {
  @ListMax(saleOffersMax)
  @Field(() => [RefusedAllocationOutput], { description: 'Why nothing was applied.' })
  refused!: RefusedAllocationOutput[];

  @Field(() => Int, {
    nullable: true,
    description: 'The last revision, if another allocation has this one or a higher one.',
  })
  lastRevision!: number | null;
}

@Directive('@inaccessible')
@Allow('parent')
@ObjectType({ description: 'The units of one variant of a sale in one shop.' })
export class SaleStockLineOutput implements SaleStock {
  @Field(() => UUID, { description: 'The shop.' })
  shopId!: string;

  @Field(() => String, { description: 'The variant.' })
  sku!: string;

  @Field(() => Int, { description: 'Units allocated.' })
  allocated!: number;

  @Field(() => Int, { description: 'Units held for unpaid orders.' })
  held!: number;

  @Field(() => Int, { description: 'Units paid, those that were cancelled later included.' })
  sold!: number;

  @Field(() => Int, { description: 'Units that it can still sell.' })
  remaining!: number;
}

@Directive('@inaccessible')
@Allow('parent')
@ObjectType({ description: 'The units of one variant of a sale, and whether it still sells any.' })
export class SaleUnitsOutput extends SaleStockLineOutput implements SaleUnits {
  @Field(() => Boolean, { description: 'Whether it is in the sale, which ended 15 s ago at most.' })
  isOpen!: boolean;
}

@Directive('@inaccessible')
@Allow('parent')
@ObjectType({ description: 'The units of a sale.' })
export class SaleStockOutput {
  @ListMax(saleOffersMax)
  @Field(() => [SaleStockLineOutput], { description: 'Empty for a sale without an allocation.' })
  lines!: SaleStock[];
}

@Directive('@inaccessible')
@InputType({ description: 'A variant of a shop in a sale.' })
class SaleKeyInput implements SaleKey {
  @Field(() => UUID, { description: 'The sale.' })
  saleId!: string;

  @Field(() => UUID, { description: 'The shop.' })
  shopId!: string;

  @Field(() => String, { description: 'The variant: 1 to 64 characters.' })
  @Length(1, 64)
  sku!: string;
}

/** Operations for the shop and order subgraphs only. */
@Resolver()
export class SaleResolver {
  @Directive('@inaccessible')
  @Allow('caller:shop')
  @Mutation(() => AllocationOutcomeOutput, {
    description:
      'Sets units aside for a sale, all lines or none. Returns the lines that were refused.',
  })
  allocateSale(
    @Arg('allocation', () => SaleAllocationInput) allocation: SaleAllocationInput,
    @Ctx() { app }: StockContext,
  ) {
    return allocateSale(app, allocation);
  }

  @Directive('@inaccessible')
  @Allow('caller:order', 'caller:shop')
  @ListMax(salesPerCall)
  @Query(() => [SaleStockOutput], { description: 'The units of sales, in the order of the ids.' })
  async saleStockOf(
    @Arg('saleIds', () => [UUID], { description: 'The sales, at most 100.' }) saleIds: string[],
    @Ctx() { app }: StockContext,
  ): Promise<SaleStockOutput[]> {
    if (saleIds.length > salesPerCall)
      throw badInput({ saleIds: `must be at most ${salesPerCall}` });
    const stock = await readSaleStock(app.orm.em.fork(), saleIds);
    return stock.map((lines) => ({ lines }));
  }

  @Directive('@inaccessible')
  @Allow('caller:order', 'caller:shop')
  @ListMax(saleKeysPerCall)
  @Query(() => [SaleUnitsOutput], {
    nullable: 'items',
    description:
      'The units of variants in sales, in the order of the keys; null for one without an allocation.',
  })
  async saleUnitsOf(
    @Arg('of', () => [SaleKeyInput], { description: 'What to read, at most 1,000 keys.' })
    of: SaleKeyInput[],
    @Ctx() { app }: StockContext,
  ): Promise<(SaleUnitsOutput | null)[]> {
    if (of.length > saleKeysPerCall) throw badInput({ of: `must be at most ${saleKeysPerCall}` });
    return readSaleUnits(app.orm.em.fork(), of);
  }
}
