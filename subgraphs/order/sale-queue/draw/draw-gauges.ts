import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../../shared/database/sql.js';
import { beaconBeforeS } from '../queue-times.js';

export const drawGauges = [
  {
    name: 'holdfast_sale_draw_overdue_seconds',
    help: `Seconds since the draw of the queue that waits longest for it was due, ${beaconBeforeS} s before the start of its sale; 0 if none waits.`,
    async read({ em }: { readonly em: EntityManager }): Promise<number> {
      const [row] = await sql<{ age: number }>(em, overdueSql);
      return row?.age ?? 0;
    },
  },
];

// By sale_queue_undrawn.
const overdueSql = `
  select greatest(0, coalesce(extract(epoch from
    clock_timestamp() - min(starts_at) + interval '${beaconBeforeS} s'), 0))::float8 as age
  from sale_queue where drawn_at is null and ended_at is null`;
