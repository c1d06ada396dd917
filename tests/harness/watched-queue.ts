import pg from 'pg';

interface Look {
  readonly serving: number;
  /** what is published of the list and of the draw, as text */
  readonly list: string | null;
  readonly draw: string | null;
}
interface SeenTicket {
  readonly customer: string;
  readonly id: string;
  readonly number: number | null;
  readonly drawNumber: number | null;
}

const everyMs = 50;

/**
 * Looks at the queue of a sale 20 times a second. Nobody leaves it and no hold expires, so what is published stays, no
 * ticket disappears, and no position rises.
 */
export async function watchQueue(orderUrl: string, saleId: string) {
  const client = new pg.Client({ connectionString: orderUrl });
  client.on('error', () => {}); // the look that it interrupts fails
  await client.connect();
  const wrong: string[] = [];
  const seen = new Map<string, SeenTicket>();
  let before: Look | null = null;
  const stays = <T>(name: string, was: T | null | undefined, is: T | null | undefined) => {
    if (was !== null && was !== undefined && is !== was) wrong.push(`${name} was ${was}, is ${is}`);
  };

  async function look(): Promise<void> {
    // One statement, so that numbers and watermark are of one moment.
    const { rows } = await client.query<Look & { tickets: SeenTicket[] }>(
      `select q.serving_number as serving, encode(q.list_hash, 'hex') || q.list_count as list,
         case when q.drawn_at is not null then encode(q.seed, 'hex') || q.drawn_at::text end as draw,
         coalesce((select json_agg(json_build_object('customer', t.customer_id, 'id', t.id,
             'number', t.number, 'drawNumber', t.draw_number))
           from sale_ticket t where t.sale_id = q.sale_id), '[]') as tickets
       from sale_queue q where q.sale_id = $1`,
      [saleId],
    );
    const now = rows[0];
    if (!now) return;
    if (now.serving < (before?.serving ?? 0)) wrong.push(`the watermark fell to ${now.serving}`);
    stays('the list', before?.list, now.list);
    stays('the draw', before?.draw, now.draw);
    before = now;
    const present = new Map(now.tickets.map((ticket) => [ticket.customer, ticket]));
    for (const [customer, was] of seen) {
      const is = present.get(customer);
      for (const key of ['id', 'number', 'drawNumber'] as const) {
        stays(`${key} of ${customer}`, was[key], is?.[key]);
      }
    }
    for (const [customer, ticket] of present) seen.set(customer, ticket);
  }

  let isOver = false;
  const looking = (async () => {
    while (!isOver) {
      await look();
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
    await look();
  })().finally(() => client.end());
  looking.catch(() => {}); // `end` throws it
  return {
    /** @returns what was wrong */
    async end(): Promise<readonly string[]> {
      isOver = true;
      await looking;
      return wrong;
    },
  };
}
