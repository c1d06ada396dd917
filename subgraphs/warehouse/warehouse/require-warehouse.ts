import { notFound } from '../../shared/errors.js';
import { loaderOf } from '../../shared/graphql/context.js';
import { loadBy } from '../../shared/graphql/load.js';
import type { WarehouseContext } from '../context.js';
import { Warehouse } from './warehouse.js';

export const loadWarehouses = loadBy(Warehouse, 'id');

/** @throws `NOT_FOUND`; `FORBIDDEN` unless the shop is the user’s or the user is an admin */
export async function requireWarehouse(context: WarehouseContext, id: string): Promise<Warehouse> {
  const warehouse = await loaderOf(context, loadWarehouses).load(id);
  if (!warehouse) throw notFound('warehouse', id);
  await context.app.owners.requireOwn(context, warehouse.shopId);
  return warehouse;
}
