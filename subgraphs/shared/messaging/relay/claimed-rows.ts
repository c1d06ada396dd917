import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../database/sql.js';
import type { Logger } from '../../observability/logger.js';
import { retryAtSql } from '../../runtime/due-jobs.js';
import { type Claimed, type DueEntry, leaseMs } from './claim.js';
import type { Lane } from './lane.js';

const backoffFirstMs = 100;
const backoffMaxMs = 60_000;
const rejectionsMax = 20;

interface Parts {
  readonly em: EntityManager;
  readonly logger: Logger;
}

const idsOf = (entries: readonly DueEntry[]) => entries.map(({ id }) => id);

const heldSql = `id = any($1::uuid[]) and sent_at is null and next_attempt_at = $2`;
const markSentSql = `
  update outbox set sent_at = now(), updated_at = now()
  where id = any($1::uuid[]) and sent_at is null`;
/** As `markSentSql`; what was sent replaces the dead letters before it (outbox_dead). */
const markLatestSentSql = `
  with sent as (
    ${markSentSql} returning consumer, delivery, topic, key, position
  )
  update outbox dead set sent_at = now(), updated_at = now() from sent
  where dead.consumer = sent.consumer and dead.delivery = sent.delivery
    and dead.topic = sent.topic and dead.key = sent.key
    and dead.sent_at is null and dead.dead_at is not null and dead.position < sent.position`;

/**
 * Claimed rows until they are sent, released or refused. A row whose lease ended, and that another relay claimed
 * since, belongs to that: this one neither releases it nor counts a rejection.
 */
export class ClaimedRows {
  readonly #held: Map<string, DueEntry>;
  #until: string;

  constructor(
    private readonly parts: Parts,
    private readonly lane: Lane,
    { entries, until }: Claimed,
  ) {
    this.#held = new Map(entries.map((entry) => [entry.id, entry]));
    this.#until = until;
  }

  isHeld = ({ id }: DueEntry): boolean => this.#held.has(id);

  /** Begins the lease again, of those that no other relay has claimed. */
  async extend(): Promise<void> {
    const rows = await sql<{ id: string; until: string }>(
      this.parts.em,
      `update outbox set next_attempt_at = now() + ${leaseMs} * interval '1 ms', updated_at = now()
       where ${heldSql} returning id, next_attempt_at::text as until`,
      [[...this.#held.keys()], this.#until],
    );
    this.#until = rows[0]?.until ?? this.#until;
    const extended = new Set(rows.map(({ id }) => id));
    for (const id of this.#held.keys()) if (!extended.has(id)) this.#held.delete(id);
  }

  /** Also those that another relay has claimed: it need not send them. */
  async markSent(entries: readonly DueEntry[]): Promise<void> {
    if (entries.length === 0) return;
    const text = this.lane.delivery === 'latest' ? markLatestSentSql : markSentSql;
    await sql(this.parts.em, text, [idsOf(entries)]);
    this.#drop(entries);
  }

  /** Makes entries due again, without counting a rejection. */
  async release(entries: readonly DueEntry[], inMs: number): Promise<void> {
    if (entries.length === 0) return;
    await sql(
      this.parts.em,
      `update outbox set next_attempt_at = now() + $3 * interval '1 ms', updated_at = now()
       where ${heldSql}`,
      [idsOf(entries), this.#until, inMs],
    );
    this.#drop(entries);
  }

  releaseAll = (inMs: number): Promise<void> => this.release([...this.#held.values()], inMs);

  /** Counts a rejection of each. After `rejectionsMax` it is a dead letter. */
  async backOff(entries: readonly DueEntry[]): Promise<void> {
    if (entries.length === 0) return;
    const rows = await sql<{ id: string; dead: boolean }>(
      this.parts.em,
      `update outbox set rejections = rejections + 1, updated_at = now(),
         next_attempt_at = ${retryAtSql('rejections', backoffFirstMs, backoffMaxMs)},
         dead_at = case when rejections + 1 >= $3 then now() end
       where ${heldSql} returning id, dead_at is not null as dead`,
      [idsOf(entries), this.#until, rejectionsMax],
    );
    this.#drop(entries);
    for (const { id } of rows.filter(({ dead }) => dead)) {
      this.parts.logger.error({ outboxId: id }, 'outbox entry dead-lettered');
    }
  }

  #drop(entries: readonly DueEntry[]): void {
    for (const { id } of entries) this.#held.delete(id);
  }
}
