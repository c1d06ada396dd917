import { Max, Min, ValidateNested } from 'class-validator';
import { Field, InputType, Int } from 'type-graphql';
import { identityOf } from '../../shared/auth/callers.js';
import { type Once, transact } from '../../shared/database/transact.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { OneLine } from '../../shared/graphql/validation.js';
import { KeyField } from '../../shared/idempotency/key-field.js';
import { newId } from '../../shared/ids.js';
import type { WarehouseContext } from '../context.js';
import { Warehouse, WarehouseAddress } from './warehouse.js';
import { recordWarehouseEvent } from './warehouse-event.js';
import { requireRoomForWarehouse } from './warehouse-limit.js';

@InputType({ description: 'A new warehouse.' })
export class CreateWarehouseInput {
  @Field(() => UUID, { description: 'The shop whose stock it stores.' })
  shopId!: string;

  @Field(() => String, { description: 'Name, 1 to 255 characters.' })
  @OneLine(255)
  name!: string;

  @Field(() => WarehouseAddress, { nullable: true, description: 'Address.' })
  @ValidateNested()
  address?: WarehouseAddress | null;

  @Field(() => Int, {
    defaultValue: 100,
    description: 'Orders are served from the warehouse with the lowest number; 0 to 1,000,000.',
  })
  @Min(0)
  @Max(1_000_000)
  priority!: number;

  @KeyField()
  idempotencyKey?: string | null;
}

/**
 * @throws `NOT_FOUND` for an unknown shop; `FORBIDDEN` for a shop of another vendor; `CONFLICT` beyond the
 *   limit of the shop, 200 by default
 */
export async function createWarehouse(
  context: WarehouseContext,
  { shopId, name, address = null, priority }: CreateWarehouseInput,
  once?: Once<Warehouse>,
): Promise<Warehouse> {
  await context.app.owners.requireOwn(context, shopId);
  const actor = identityOf(context).id;
  const work = async (tx: typeof context.em) => {
    await requireRoomForWarehouse(tx, shopId);
    const fields = { id: newId(), shopId, name, address, active: true, priority };
    const warehouse = tx.create(Warehouse, fields);
    await tx.persist(warehouse).flush();
    await recordWarehouseEvent(tx, { shopId, warehouseId: warehouse.id, type: 'ACTIVATED', actor });
    return warehouse;
  };
  return transact(context.em, work, once);
}
