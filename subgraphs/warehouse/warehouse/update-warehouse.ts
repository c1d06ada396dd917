import { IsOptional, Max, Min, ValidateNested } from 'class-validator';
import { Field, InputType, Int } from 'type-graphql';
import { transact } from '../../shared/database/transact.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { OneLine } from '../../shared/graphql/validation.js';
import type { WarehouseContext } from '../context.js';
import { requireWarehouse } from './require-warehouse.js';
import { Warehouse, WarehouseAddress } from './warehouse.js';

@InputType({ description: 'Changes to a warehouse. Omitted fields keep their value.' })
export class UpdateWarehouseInput {
  @Field(() => UUID, { description: 'The id of the warehouse.' })
  id!: string;

  @Field(() => String, { nullable: true, description: 'Name, 1 to 255 characters.' })
  @IsOptional()
  @OneLine(255)
  name?: string | null;

  @Field(() => WarehouseAddress, {
    nullable: true,
    description: 'Address; null removes it.',
  })
  @IsOptional()
  @ValidateNested()
  address?: WarehouseAddress | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Orders are served from the warehouse with the lowest number; 0 to 1,000,000.',
  })
  @IsOptional()
  @Min(0)
  @Max(1_000_000)
  priority?: number | null;
}

/** @throws `NOT_FOUND`, `FORBIDDEN` */
export async function updateWarehouse(context: WarehouseContext, input: UpdateWarehouseInput) {
  const { shopId, id } = await requireWarehouse(context, input.id);
  return transact(context.em, async (tx) => {
    const warehouse = await tx.findOneOrFail(Warehouse, { shopId, id });
    if (input.name) warehouse.name = input.name;
    if (input.address !== undefined) warehouse.address = input.address;
    if (typeof input.priority === 'number') warehouse.priority = input.priority;
    return warehouse;
  });
}
