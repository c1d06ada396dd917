import type { EntityManager } from '@mikro-orm/postgresql';
import { ArrayMaxSize, ArrayMinSize, IsOptional, Max, Min, ValidateNested } from 'class-validator';
import { createUnionType, Field, InputType, Int, ObjectType } from 'type-graphql';
import { sql } from '../../shared/database/sql.js';
import type { Once } from '../../shared/database/transact.js';
import { badInput } from '../../shared/errors.js';
import { ListMax } from '../../shared/graphql/list-max.js';
import { Refusal, result } from '../../shared/graphql/refusal.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { OneLine } from '../../shared/graphql/validation.js';
import { KeyField } from '../../shared/idempotency/key-field.js';
import { Allow } from '../../shared/rights/rights.js';
import { correctOnHand } from '../stock/correct-on-hand.js';
import { onHandMax } from '../stock/item-room.js';
import { moveStock, type StockWork } from '../stock/move-stock.js';
import { tooMany } from '../stock/receive-stock.js';
import type { StockLevel } from '../stock/stock-level.js';
import type { StockStore } from '../stock/stock-store.js';
import type { Warehouse } from '../warehouse/warehouse.js';
import { lockOpenCount, StockCountNotOpen } from './lock-open-count.js';
import { countLinesMax } from './open-stock-count.js';
import { StockCount, StockCountLine } from './stock-count.js';

@InputType({ description: 'The counted units of one variant.' })
export class CountedLineInput {
  @Field(() => String, { description: 'The variant, one of the count.' })
  @OneLine(64)
  sku!: string;

  @Field(() => Int, {
    description: 'Units in the warehouse, packed parcels included; 0 to 100,000,000.',
  })
  @Min(0)
  @Max(onHandMax)
  quantity!: number;

  @Field(() => Date, {
    nullable: true,
    description:
      'When they were counted; by default when the count was opened. Give it if units were received or shipped in between.',
  })
  @IsOptional()
  countedAt?: Date | null;
}

@InputType({ description: 'The result of a stock count.' })
export class SubmitStockCountInput {
  @Field(() => UUID, { description: 'The count.' })
  countId!: string;

  @Field(() => [CountedLineInput], {
    description: 'The counted variants, 1 to 1,000, each once. The others stay as they are.',
  })
  @ValidateNested({ each: true })
  @ArrayMinSize(1)
  @ArrayMaxSize(countLinesMax)
  lines!: CountedLineInput[];

  @KeyField()
  idempotencyKey?: string | null;
}

@Allow('parent')
@ObjectType({ description: 'A line that was counted before the newest count of its level.' })
export class StaleCountLine {
  @Field(() => String, { description: 'The variant.' })
  sku!: string;

  @Field(() => Date, { nullable: true, description: 'When it was counted.' })
  countedAt!: Date;

  @Field(() => Date, { description: 'When the newest count was made.' })
  newestCountAt!: Date;
}

@Allow('parent')
@ObjectType({
  implements: Refusal,
  description: 'Some variants were counted again since. Nothing was changed.',
})
export class StaleCount extends Refusal {
  @ListMax(countLinesMax)
  @Field(() => [StaleCountLine], { description: 'These variants.' })
  lines!: StaleCountLine[];
}

export const SubmitStockCountResult = createUnionType({
  name: 'SubmitStockCountResult',
  description: 'The stock count, or why nothing was changed.',
  types: () => [StockCount, StaleCount, StockCountNotOpen] as const,
});

export interface CountSubmission {
  readonly countId: string;
  readonly warehouse: Warehouse;
  readonly lines: readonly CountedLineInput[];
  /** the id of the user who submits */
  readonly actor: string;
}

interface CountedLine {
  readonly level: StockLevel;
  readonly counted: number;
  readonly countedAt: Date;
}

/**
 * Sets levels to the units that were counted, all or none. A line is compared with the level at the
 * time of its count: what moved since is not undone. The ADJUSTMENT occurred at that time.
 *
 * @returns the count, or why nothing was changed
 * @throws `BAD_USER_INPUT` for a variant that is twice, or not in the count; a time before the count was
 *   opened, or to come, or since which movements were detached; too many units
 */
export function submitStockCount(
  store: StockStore,
  { countId, warehouse, lines, actor }: CountSubmission,
  once?: Once<typeof SubmitStockCountResult>,
): Promise<typeof SubmitStockCountResult> {
  const { shopId } = warehouse;
  const skus = lines.map(({ sku }) => sku);
  if (new Set(skus).size < skus.length) throw badInput({ 'input.lines': 'has a variant twice' });
  const work: StockWork<typeof SubmitStockCountResult> = async (em, openLedger) => {
    const count = await lockOpenCount(em, { shopId, id: countId });
    if (count instanceof StockCountNotOpen) return count;
    await requireSkusOfCount(em, count, skus);
    const keys = skus.map((sku) => ({ shopId, sku }));
    const ledger = await openLedger(keys, { warehouseIds: [warehouse.id] });
    const times = lines.map(({ countedAt }, n) =>
      timeOf(countedAt ?? count.openedAt, count.openedAt, ledger.now, n),
    );
    const stale = skus.flatMap((sku, n): StaleCountLine[] => {
      const newestCountAt = ledger.findLevel(warehouse.id, sku)?.countedAt;
      const countedAt = times[n] as Date;
      return newestCountAt && countedAt < newestCountAt ? [{ sku, countedAt, newestCountAt }] : [];
    });
    if (stale.length > 0) return staleCount(stale);
    const levels = await ledger.ensureLevels(em, warehouse, skus);
    await ledger.room.read(em, levels);
    const counted = lines.map(({ quantity }, n) => {
      return { level: levels[n] as StockLevel, counted: quantity, countedAt: times[n] as Date };
    });
    const movedSince = await readMovedSince(em, shopId, counted);
    const expected: number[] = [];
    for (const [n, line] of counted.entries()) {
      const { level, countedAt: occurredAt } = line;
      // Below 0 if more left before the count, unrecorded until now, than were believed to be there.
      const before = level.onHand - (movedSince.get(level.id) ?? 0);
      expected.push(Math.max(0, before));
      const delta = Math.max(line.counted - before, -level.onHand);
      if (delta > 0 && !ledger.room.has(level, delta)) {
        throw badInput(tooMany(`input.lines[${n}].quantity`));
      }
      const about = { reference: countId, reason: 'counted', actor, occurredAt };
      correctOnHand(ledger, level, { delta, ...about });
      ledger.setCountedAt(level, occurredAt);
    }
    await writeLines(em, count, counted, expected);
    count.status = 'SUBMITTED';
    return count;
  };
  return moveStock(store, work, { once, isStored: isSubmitted });
}

/** Of a count that changed no units. */
async function isSubmitted(em: EntityManager, value: typeof SubmitStockCountResult) {
  if (!(value instanceof StockCount)) return false;
  const { shopId, id, updatedAt } = value;
  const rows = await sql(
    em,
    `select from stock_count
     where shop_id = $1 and id = $2 and status = 'SUBMITTED' and updated_at = $3`,
    [shopId, id, updatedAt],
  );
  return rows.length > 0;
}

/** A device’s clock may be a little fast. */
const aheadMaxMs = 5000;

/** @throws `BAD_USER_INPUT` for a time before the count was opened, or to come */
function timeOf(countedAt: Date, openedAt: Date, now: Date, n: number): Date {
  const path = `input.lines[${n}].countedAt`;
  if (countedAt < openedAt) throw badInput({ [path]: 'is before the count was opened' });
  if (countedAt.getTime() > now.getTime() + aheadMaxMs)
    throw badInput({ [path]: 'is in the future' });
  return countedAt > now ? now : countedAt;
}

async function requireSkusOfCount(
  em: EntityManager,
  { shopId, id: countId }: StockCount,
  skus: readonly string[],
) {
  const found = await em.find(StockCountLine, { shopId, countId, sku: { $in: [...skus] } });
  const known = new Set(found.map(({ sku }) => sku));
  const unknown = skus.findIndex((sku) => !known.has(sku));
  if (unknown < 0) return;
  const problem = `${skus[unknown]} is not in this count`;
  throw badInput({ [`input.lines[${unknown}].sku`]: problem });
}

function staleCount(lines: StaleCountLine[]): StaleCount {
  const skus = lines.map(({ sku }) => sku).join(', ');
  const message = `There is a newer count of ${skus}. Count again, or leave them out.`;
  return result(StaleCount, { message, lines });
}

/**
 * Level → the change of its units on hand by movements that occurred after its count. Movements have
 * UUIDv7, which are not earlier than the movement, so the index of a level finds those that are new.
 *
 * @throws `BAD_USER_INPUT` if some of these are in a detached partition
 */
async function readMovedSince(em: EntityManager, shopId: string, lines: readonly CountedLine[]) {
  const rows = await sql<{ levelId: string; units: string; isDetached: boolean }>(
    em,
    `select line.level_id as "levelId",
       (select coalesce(sum(m.on_hand_delta), 0) from stock_movement m
        where m.shop_id = $3 and m.level_id = line.level_id and m.occurred_at > line.counted_at
          and m.id >= first_id_at(line.counted_at)) as units,
       exists (select from ledger_checkpoint c where c.shop_id = $3 and c.level_id = line.level_id
         and c.created_at > line.counted_at) as "isDetached"
     from unnest($1::uuid[], $2::timestamptz[]) as line (level_id, counted_at)`,
    [
      lines.map(({ level }) => level.id),
      lines.map(({ countedAt }) => countedAt.toISOString()),
      shopId,
    ],
  );
  const byLevel = new Map(rows.map((row) => [row.levelId, row]));
  const n = lines.findIndex(({ level }) => byLevel.get(level.id)?.isDetached);
  if (n >= 0) {
    throw badInput({
      [`input.lines[${n}].countedAt`]:
        'is before the movements that are kept of this variant. Count it again, and give the time of that count',
    });
  }
  return new Map(rows.map(({ levelId, units }) => [levelId, Number(units)]));
}

async function writeLines(
  em: EntityManager,
  { shopId, id }: StockCount,
  lines: readonly CountedLine[],
  expected: readonly number[],
): Promise<void> {
  await sql(
    em,
    `update stock_count_line l
     set expected = each.expected, counted = each.counted, counted_at = each.counted_at
     from unnest($2::varchar[], $3::int[], $4::int[], $5::timestamptz[])
       as each (sku, expected, counted, counted_at)
     where l.count_id = $1 and l.shop_id = $6 and l.sku = each.sku`,
    [
      id,
      lines.map(({ level }) => level.sku),
      expected,
      lines.map(({ counted }) => counted),
      lines.map(({ countedAt }) => countedAt.toISOString()),
      shopId,
    ],
  );
}
