import {
  drawOrderOf,
  listHashOf,
  sha256,
} from '../../subgraphs/order/sale-queue/draw/draw-order.js';
import { newId } from '../../subgraphs/shared/ids.js';
import type { Break } from './broken-stock.js';

const ofList = 'the list of a queue has the size and the hash that were published';
const ofDraw = 'the numbers of a draw are 1 to n, in the order of its HMACs';
const ofTicket = 'a ticket of a queue has a number of its own once it is drawn or late';

const sale = newId();
const [early, late] = [newId(), newId()];

/** Both tickets in the wrong order, if both were in the list of this hash. */
const lastFirst = drawOrderOf({
  seed: sha256(Buffer.from('seed')),
  beacon: Buffer.alloc(0),
  listHash: listHashOf([early]),
  ids: [early, late],
}).toReversed();

/** SQL for a queue that was drawn, with one ticket in its list and one behind it. */
export const drawnQueue = [
  `insert into sale_ticket (customer_id, sale_id, id, joined_at, early, draw_number, number) values
     ('${early}', '${sale}', '${early}', now(), true, 1, 1),
     ('${late}', '${sale}', '${late}', now(), false, null, 2)`,
  `insert into sale_queue (sale_id, starts_at, ends_at, eligibility, admission_minutes, seed,
     closed_at, list_count, list_hash, drawn_at, next_number)
   values ('${sale}', now(), now() + interval '1 h', 'ANYONE', 5, sha256('seed'), now(), 1,
     sha256(uuid_send('${early}')), now(), 3)`,
];

const another = `insert into sale_ticket
  (customer_id, sale_id, id, joined_at, early, draw_number, number)
  values ('${newId()}', '${sale}', '${newId()}', now(), true, 3, 3)`;
const ticket = (set: string, id: string) => `update sale_ticket set ${set} where id = '${id}'`;

const brokenBy = (name: string, ...changes: string[]): Break => [
  name,
  'order',
  [...drawnQueue, ...changes],
];

export const queueBreaks: readonly Break[] = [
  brokenBy(ofList, another),
  brokenBy(ofList, ticket('early = false', early)),
  brokenBy(ofList, ticket(`id = '${newId()}'`, early)),
  brokenBy(ofDraw, ticket('draw_number = 2', early)),
  brokenBy(ofDraw, ticket('draw_number = null', early)),
  brokenBy(ofDraw, another),
  brokenBy(
    ofDraw,
    'drop index sale_ticket_draw_number',
    ticket('early = true', late),
    'update sale_queue set list_count = 2',
    ...lastFirst.map((id, at) => ticket(`draw_number = ${at + 1}`, id)),
  ),
  brokenBy(ofTicket, ticket('number = null, draw_number = null', early)),
  brokenBy(ofTicket, ticket('number = 3', late)),
  brokenBy(ofTicket, ticket('number = null', late)),
  brokenBy(ofTicket, 'drop index sale_ticket_number', ticket('number = 1', late)),
  brokenBy(ofTicket, ticket('draw_number = 2', late)),
  brokenBy(ofTicket, `delete from sale_queue`),
  brokenBy(
    ofTicket,
    `update sale_queue set closed_at = null, list_count = null, list_hash = null, drawn_at = null`,
  ),
];
