import { z } from 'zod';
import type { Call } from './call.js';

/** Which order a shop order is part of, whose, and in which status. */
export interface ShopOrderRef {
  readonly orderId: string;
  readonly shopId: string;
  readonly status: string;
}

/** The order, shop and status of a shop order; null if there is no such shop order. */
export const shopOrderById: Call<{ readonly id: string }, ShopOrderRef | null> = {
  field: 'shopOrderById',
  query: 'query ($id: UUID!) { shopOrderById(id: $id) { orderId shopId status } }',
  answer: z.object({ orderId: z.string(), shopId: z.string(), status: z.string() }).nullable(),
};
