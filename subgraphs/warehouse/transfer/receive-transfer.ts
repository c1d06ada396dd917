import { ArrayMaxSize, IsOptional, ValidateNested } from 'class-validator';
import { createUnionType, Field, InputType, ObjectType } from 'type-graphql';
import type { UnitsOfSku } from '../../contracts/stock-key.js';
import type { Once } from '../../shared/database/transact.js';
import { badInput } from '../../shared/errors.js';
import { Refusal, result } from '../../shared/graphql/refusal.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { OneLine } from '../../shared/graphql/validation.js';
import { KeyField } from '../../shared/idempotency/key-field.js';
import { Allow } from '../../shared/rights/rights.js';
import { moveStock, type StockWork } from '../stock/move-stock.js';
import type { StockStore } from '../stock/stock-store.js';
import { requireLockedTransfer } from './require-locked-transfer.js';
import {
  StockTransfer,
  type TransferLine,
  TransferStatus,
  unitsInTransit,
} from './stock-transfer.js';
import { linesMax, TransferLineInput } from './transfer-stock.js';

@InputType({ description: 'The units of a transfer that arrived.' })
export class ReceiveTransferInput {
  @Field(() => UUID, { description: 'The transfer.' })
  transferId!: string;

  @Field(() => [TransferLineInput], {
    nullable: true,
    description:
      'Units that arrived, one line per variant, at most 100. By default all units in transit.',
  })
  @IsOptional()
  @ValidateNested({ each: true })
  @ArrayMaxSize(linesMax)
  lines?: TransferLineInput[] | null;

  @Field(() => Boolean, {
    defaultValue: false,
    description:
      'Whether to write off the units that did not arrive. Requires `lines` and `reason`.',
  })
  closeShort!: boolean;

  @Field(() => String, {
    nullable: true,
    description: 'Reason of the write-off, 1 to 255 characters.',
  })
  @IsOptional()
  @OneLine(255)
  reason?: string | null;

  @KeyField()
  idempotencyKey?: string | null;
}

@Allow('parent')
@ObjectType({ implements: Refusal, description: 'The transfer has ended. Nothing was done.' })
export class TransferNotOpen extends Refusal {
  @Field(() => TransferStatus, { description: 'Current status.' })
  status!: TransferStatus;
}

export const transferNotOpen = (status: TransferStatus): TransferNotOpen =>
  result(TransferNotOpen, { message: `The transfer is already ${status}.`, status });

export const ReceiveTransferResult = createUnionType({
  name: 'ReceiveTransferResult',
  description: 'The transfer, or why nothing was done.',
  types: () => [StockTransfer, TransferNotOpen] as const,
});

export interface TransferReceipt {
  /** of the transfer */
  readonly shopId: string;
  readonly transferId: string;
  /** units that arrived, each sku once; null for all units in transit */
  readonly lines: readonly UnitsOfSku[] | null;
  /** why the units that did not arrive are written off; null when they are not */
  readonly writeOffReason: string | null;
  /** the id of the user who receives */
  readonly actor: string;
}

/** @throws `BAD_USER_INPUT` for inconsistent input */
export function receiptOf(
  shopId: string,
  input: ReceiveTransferInput,
  actor: string,
): TransferReceipt {
  const { transferId, lines = null, closeShort, reason } = input;
  if (closeShort && !reason) throw badInput({ 'input.reason': 'must be given with closeShort' });
  if (closeShort && !lines) {
    throw badInput({ 'input.lines': 'must be given with closeShort; [] if nothing arrived' });
  }
  if (!closeShort && lines?.length === 0) throw badInput({ 'input.lines': 'must not be empty' });
  if (lines && new Set(lines.map(({ sku }) => sku)).size < lines.length) {
    throw badInput({ 'input.lines': 'has a variant twice' });
  }
  return {
    shopId,
    transferId,
    lines,
    writeOffReason: closeShort ? (reason as string) : null,
    actor,
  };
}

/**
 * Receives all or some units of a transfer. Units that are written off are received and removed
 * again by an ADJUSTMENT with the reason, so that TRANSFER_OUT and TRANSFER_IN are equal.
 *
 * @returns the transfer, or why nothing was done
 * @throws `BAD_USER_INPUT` for more units than are in transit
 */
export function receiveTransfer(
  store: StockStore,
  { shopId, transferId, lines, writeOffReason, actor }: TransferReceipt,
  once?: Once<typeof ReceiveTransferResult>,
): Promise<typeof ReceiveTransferResult> {
  const work: StockWork<typeof ReceiveTransferResult> = async (em, openLedger) => {
    const { transfer, lines: sent } = await requireLockedTransfer(em, shopId, transferId);
    if (transfer.status !== 'IN_TRANSIT') return transferNotOpen(transfer.status);
    const arrived = arrivedUnits(sent, lines);
    const { toId } = transfer;
    const keys = sent.map(({ sku }) => ({ shopId, sku }));
    const ledger = await openLedger(keys, { warehouseIds: [toId] });
    for (const line of sent) {
      const level = ledger.requireLevel(toId, line.sku);
      const received = arrived.get(line.sku) ?? 0;
      const missing = writeOffReason === null ? 0 : unitsInTransit(line) - received;
      const units = received + missing;
      if (units === 0) continue;
      line.received += received;
      line.missing += missing;
      const movement = { reference: transferId, actor };
      ledger.changeIncoming(level, -units);
      ledger.move(level, { ...movement, type: 'TRANSFER_IN', onHandDelta: units });
      if (missing === 0) continue;
      const reason = writeOffReason;
      ledger.move(level, { ...movement, type: 'ADJUSTMENT', onHandDelta: -missing, reason });
    }
    if (sent.every((line) => unitsInTransit(line) === 0)) transfer.status = 'RECEIVED';
    return transfer;
  };
  return moveStock(store, work, { once, isStored: null });
}

function arrivedUnits(sent: readonly TransferLine[], lines: readonly UnitsOfSku[] | null) {
  if (!lines) return new Map(sent.map((line) => [line.sku, unitsInTransit(line)]));
  for (const [n, { sku, quantity }] of lines.entries()) {
    const line = sent.find((each) => each.sku === sku);
    if (!line) throw badInput({ [`input.lines[${n}].sku`]: `${sku} is not in this transfer` });
    const left = unitsInTransit(line);
    if (quantity > left) {
      throw badInput({ [`input.lines[${n}].quantity`]: `only ${left} units are in transit` });
    }
  }
  return new Map(lines.map(({ sku, quantity }) => [sku, quantity]));
}
