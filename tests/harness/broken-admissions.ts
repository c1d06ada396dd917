import { newId } from '../../subgraphs/shared/ids.js';
import type { Break } from './broken-stock.js';

const sale = newId();
const ofQueue = 'a queue has admitted the tickets up to its watermark, and no other';
const ofOrder = 'the order of an admission is of its customer, and open or paid';
const ofLine = 'a line of a sale with a queue was ordered within an admission';

/** SQL for an order that was placed with an admission. */
const admitted = [
  `insert into sale_queue (sale_id, starts_at, ends_at, eligibility, admission_minutes, seed,
     closed_at, list_count, list_hash, drawn_at, next_number, serving_number)
   values ('${sale}', now(), now() + interval '1 h', 'ANYONE', 5, '', now(), 0, '', now(), 3, 1)`,
  `insert into sale_ticket (customer_id, sale_id, id, joined_at, number, admitted_at,
     admitted_paused_ms, order_id)
   select customer_id, '${sale}', id, now(), 1, now() - interval '1 minute', 0, id
   from customer_order`,
  `update order_item set sale_id = '${sale}', admitted_at = created_at - interval '1 minute',
     admission_ends_at = created_at + interval '4 minutes'`,
];
const broken = (name: string, ...statements: string[]): Break => [
  name,
  'order',
  [...admitted, ...statements],
];

export const admissionBreaks: readonly Break[] = [
  broken(ofQueue, 'update sale_ticket set number = 2'),
  broken(ofQueue, 'update sale_ticket set admitted_at = null, admitted_paused_ms = null'),
  broken(
    ofQueue,
    'alter table sale_queue drop constraint sale_queue_numbers',
    'update sale_queue set serving_number = 3',
  ),
  broken(ofQueue, 'delete from sale_queue'),
  broken(ofOrder, `update sale_ticket set order_id = '${newId()}'`),
  broken(ofOrder, `update order_item set sale_id = '${newId()}'`),
  broken(ofOrder, `update shop_order set never_paid = true, status = 'CANCELLED'`),
  broken(ofLine, 'update order_item set admitted_at = null, admission_ends_at = null'),
  broken(
    ofLine,
    'update sale_queue set drawn_at = null',
    'update order_item set admitted_at = null, admission_ends_at = null',
  ),
  broken(ofLine, `update order_item set admitted_at = created_at + interval '1 second'`),
  broken(ofLine, `update order_item set admission_ends_at = created_at - interval '1 ms'`),
  broken(ofLine, 'delete from sale_ticket'),
];
