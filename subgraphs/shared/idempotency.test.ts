import { v7 as uuidv7 } from 'uuid';
import { createTestDatabases } from '../../tests/harness/databases.js';
import { databaseSchema } from '../order/mikro-orm.config.js';
import { connect } from './database/connect.js';
import { sql } from './database/sql.js';
import {
  claimKey,
  createClaims,
  fingerprintOf,
  giveUpClaim,
  pruneKeys,
  storeOutcome,
} from './idempotency.js';

describe('idempotency keys', () => {
  let database: { drop(): Promise<void> };
  let orm: Awaited<ReturnType<typeof connect>>;
  beforeAll(async () => {
    const made = await createTestDatabases(['order']);
    database = made;
    orm = await connect({ name: 'test', url: made.urls.order, poolMax: 10 }, databaseSchema);
  });
  afterAll(async () => {
    await orm.close();
    await database.drop();
  });

  const keyOf = (key: string) => ({ userId: uuidv7(), operation: 'test', key });
  const request = fingerprintOf({ a: 1 });
  const claim = (of: ReturnType<typeof keyOf>, fingerprint = request) =>
    claimKey<{ n: number }>(createClaims(orm.em), of, fingerprint, uuidv7());

  it('give the one who claims the id of what is to be made, and the others what was answered', async () => {
    const of = keyOf('a');
    const mine = await claim(of);
    expect(mine.outcome).toBeNull();
    const waiting = claim(of);
    await storeOutcome(orm.em.fork(), of, mine.subjectId, { n: 1 });
    expect(await waiting).toEqual({ subjectId: mine.subjectId, outcome: { n: 1 } });
    expect(await claim(of)).toEqual({ subjectId: mine.subjectId, outcome: { n: 1 } });
  });

  it('of twenty claims at once one gets it', async () => {
    const of = keyOf('b');
    const claims = Array.from({ length: 20 }, async () => {
      const { subjectId, outcome } = await claim(of);
      if (!outcome) await storeOutcome(orm.em.fork(), of, subjectId, { n: 7 });
      return { subjectId, isMine: outcome === null };
    });
    const results = await Promise.all(claims);
    expect(results.filter(({ isMine }) => isMine)).toHaveLength(1);
    expect(new Set(results.map(({ subjectId }) => subjectId)).size).toBe(1);
  });

  it('refuse another request under the same key, and know each user’s own', async () => {
    const of = keyOf('c');
    await claim(of);
    await expect(claim(of, fingerprintOf({ a: 2 }))).rejects.toMatchObject({
      extensions: { code: 'IDEMPOTENCY_KEY_REUSED' },
    });
    expect((await claim(keyOf('c'))).outcome).toBeNull();
  });

  it('say TRY_AGAIN when the one at work does not end in time', async () => {
    const of = keyOf('d');
    await claim(of);
    await expect(claim(of)).rejects.toMatchObject({ extensions: { code: 'TRY_AGAIN' } });
  });

  it('let another take up a claim that was given up, or whose process died, with the same id', async () => {
    const of = keyOf('e');
    const first = await claim(of);
    await giveUpClaim(orm.em.fork(), of, first.subjectId);
    const second = await claim(of);
    expect(second).toEqual({ subjectId: first.subjectId, outcome: null });
    await sql(
      orm.em.fork(),
      `update idempotency_key set claimed_until = now() - interval '1 s' where user_id = $1`,
      [of.userId],
    );
    expect(await claim(of)).toEqual({ subjectId: first.subjectId, outcome: null });
  });

  it('take no outcome of what they stood for before they were freed', async () => {
    const of = keyOf('g');
    const slow = await claim(of);
    await sql(orm.em.fork(), 'delete from idempotency_key where user_id = $1', [of.userId]);
    const next = await claim(of);
    await storeOutcome(orm.em.fork(), of, slow.subjectId, { n: 1 });
    await giveUpClaim(orm.em.fork(), of, slow.subjectId);
    await storeOutcome(orm.em.fork(), of, next.subjectId, { n: 2 });
    expect(await claim(of)).toEqual({ subjectId: next.subjectId, outcome: { n: 2 } });
  });

  it('are forgotten after a day', async () => {
    const of = keyOf('f');
    const first = await claim(of);
    await storeOutcome(orm.em.fork(), of, first.subjectId, { n: 1 });
    const age = (hours: number) =>
      sql(
        orm.em.fork(),
        `update idempotency_key set created_at = now() - $2 * interval '1 hour' where user_id = $1`,
        [of.userId, hours],
      );
    await age(23);
    await pruneKeys(orm.em.fork());
    expect((await claim(of)).subjectId).toBe(first.subjectId);
    await age(25);
    await pruneKeys(orm.em.fork());
    expect((await claim(of)).subjectId).not.toBe(first.subjectId);
  });
});
