import { ArrayMaxSize, IsOptional, Length, ValidateNested } from 'class-validator';
import { createUnionType, Field, InputType, ObjectType } from 'type-graphql';
import { badInput } from '../../shared/errors.js';
import { Refusal, result } from '../../shared/graphql/refusal.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';
import { moveStock } from '../stock/move-stock.js';
import type { StockStore } from '../stock/stock-store.js';
import { requireLockedTransfer } from './require-locked-transfer.js';
import {
  StockTransfer,
  type TransferLine,
  TransferStatus,
  unitsInTransit,
} from './stock-transfer.js';
import { linesMax, TransferLineInput, type UnitsOfSku } from './transfer-stock.js';

@InputType({ description: 'What has come of a transfer.' })
export class ReceiveTransferInput {
  @Field(() => UUID, { description: 'The transfer.' })
  transferId!: string;

  @Field(() => [TransferLineInput], {
    nullable: true,
    description:
      'What came, a line for each variant, at most 100; all that is on its way by default.',
  })
  @IsOptional()
  @ValidateNested({ each: true })
  @ArrayMaxSize(linesMax)
  lines?: TransferLineInput[] | null;

  @Field(() => Boolean, {
    defaultValue: false,
    description: 'Whether the rest will not come: it is written off. `lines` must be given then.',
  })
  closeShort!: boolean;

  @Field(() => String, {
    nullable: true,
    description: 'With `closeShort`: why, 1 to 255 characters.',
  })
  @IsOptional()
  @Length(1, 255)
  reason?: string | null;
}

@Allow('parent')
@ObjectType({ implements: Refusal, description: 'Nothing of the transfer is on its way any more.' })
export class TransferNotOpen extends Refusal {
  @Field(() => TransferStatus, { description: 'How far it is.' })
  status!: TransferStatus;
}

export const transferNotOpen = (status: TransferStatus): TransferNotOpen =>
  result(TransferNotOpen, { message: `The transfer is ${status} already.`, status });

export const ReceiveTransferResult = createUnionType({
  name: 'ReceiveTransferResult',
  description: 'The transfer, or why nothing was done.',
  types: () => [StockTransfer, TransferNotOpen] as const,
});

export interface TransferReceipt {
  readonly transferId: string;
  /** what came, each sku once; null for all that is on its way */
  readonly lines: readonly UnitsOfSku[] | null;
  /** why the rest will not come; null when it may still come */
  readonly missingBecause: string | null;
  /** the id of the user who receives */
  readonly actor: string;
}

/** @throws `BAD_USER_INPUT` where it is not clear what came */
export function receiptOf(input: ReceiveTransferInput, actor: string): TransferReceipt {
  const { transferId, lines = null, closeShort, reason } = input;
  if (closeShort && !reason) throw badInput({ 'input.reason': 'must be given with closeShort' });
  if (closeShort && !lines) {
    throw badInput({ 'input.lines': 'must be given with closeShort; [] when no more came' });
  }
  if (!closeShort && lines?.length === 0) throw badInput({ 'input.lines': 'names nothing' });
  if (lines && new Set(lines.map(({ sku }) => sku)).size < lines.length) {
    throw badInput({ 'input.lines': 'names a variant twice' });
  }
  return { transferId, lines, missingBecause: closeShort ? (reason as string) : null, actor };
}

/**
 * Takes in what came of a transfer, all or a part. What is closed as missing comes in and goes out
 * by an ADJUSTMENT that says why, so that the ledger adds up at both ends.
 *
 * @returns null when it is done; or why it was not
 * @throws `BAD_USER_INPUT` for more than is on its way
 */
export function receiveTransfer(
  store: StockStore,
  { transferId, lines, missingBecause, actor }: TransferReceipt,
): Promise<TransferNotOpen | null> {
  return moveStock(store, async (em, openLedger) => {
    const transfer = await requireLockedTransfer(em, transferId);
    if (transfer.status !== 'IN_TRANSIT') return transferNotOpen(transfer.status);
    const came = unitsThatCame(transfer.lines, lines);
    const { shopId, toId } = transfer;
    const ledger = await openLedger(transfer.lines.map(({ sku }) => ({ shopId, sku })));
    for (const line of transfer.lines) {
      const level = ledger.levelOf(toId, line.sku);
      if (!level) throw new Error(`the ledger has no level of ${line.sku}`);
      const received = came.get(line.sku) ?? 0;
      const missing = missingBecause === null ? 0 : unitsInTransit(line) - received;
      const units = received + missing;
      if (units === 0) continue;
      line.received += received;
      line.missing += missing;
      const movement = { reservedDelta: 0, reference: transferId, reason: null, actor };
      ledger.expect(level, -units);
      ledger.move(level, { ...movement, type: 'TRANSFER_IN', onHandDelta: units });
      if (missing === 0) continue;
      const reason = missingBecause;
      ledger.move(level, { ...movement, type: 'ADJUSTMENT', onHandDelta: -missing, reason });
    }
    if (transfer.lines.every((line) => unitsInTransit(line) === 0)) transfer.end('RECEIVED');
    return null;
  });
}

function unitsThatCame(onWay: readonly TransferLine[], lines: readonly UnitsOfSku[] | null) {
  if (!lines) return new Map(onWay.map((line) => [line.sku, unitsInTransit(line)]));
  for (const [n, { sku, quantity }] of lines.entries()) {
    const line = onWay.find((each) => each.sku === sku);
    if (!line) throw badInput({ [`input.lines[${n}].sku`]: `${sku} is not in this transfer` });
    const left = unitsInTransit(line);
    if (quantity > left) {
      throw badInput({ [`input.lines[${n}].quantity`]: `${left} are on their way, no more` });
    }
  }
  return new Map(lines.map(({ sku, quantity }) => [sku, quantity]));
}
