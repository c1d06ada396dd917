import { createTestDatabases } from '../../../tests/harness/databases.js';
import { statementsOf } from '../../../tests/harness/statements.js';
import { logger } from '../../../tests/harness/stock-engine.js';
import { databaseSchema } from '../../order/mikro-orm.config.js';
import { connect } from '../database/connect.js';
import { prunablesOf, prune } from '../database/prune.js';
import { sql } from '../database/sql.js';
import { newId } from '../ids.js';
import {
  claimKey,
  createClaimReleases,
  createClaims,
  fingerprintOf,
  IdempotencyKey,
  storeOutcome,
} from './claim-key.js';

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

  const keyOf = (key: string) => ({ userId: newId(), operation: 'test', key });
  const request = fingerprintOf({ a: 1 });
  const claim = (key: ReturnType<typeof keyOf>, fingerprint = request) =>
    claimKey<{ n: number }>(createClaims(orm.em), key, fingerprint, newId());

  it('give the first claim the id of the subject to create, and all others the stored outcome', async () => {
    const key = keyOf('a');
    const mine = await claim(key);
    expect(mine.outcome).toBeNull();
    const waiting = claim(key);
    await storeOutcome(orm.em.fork(), key, mine.subjectId, { n: 1 });
    expect(await waiting).toMatchObject({ subjectId: mine.subjectId, outcome: { n: 1 } });
    expect(await claim(key)).toMatchObject({ subjectId: mine.subjectId, outcome: { n: 1 } });
  });

  const release = (claim: Parameters<ReturnType<typeof createClaimReleases>>[0]) =>
    createClaimReleases(orm.em)(claim);

  it('are released together, in one statement, and only the claim that was made', async () => {
    const keys = Array.from({ length: 20 }, (_, n) => keyOf(`h${n}`));
    const first = await Promise.all(keys.map((key) => claim(key)));
    const releaseSome = createClaimReleases(orm.em);
    const releaseAll = () => {
      for (const [n, each] of first.entries()) releaseSome({ key: keys[n] as never, ...each });
    };
    const reclaim = async () => {
      releaseAll();
      await Promise.all(keys.map((key) => claim(key)));
    };
    const statements = await statementsOf('test', reclaim, /update idempotency_key k/);
    expect(statements).toHaveLength(1);
    // In the same statement as one of a claim that is live.
    const other = keyOf('i');
    const live = await claim(other);
    releaseAll();
    releaseSome({ key: other, ...live });
    await claim(other);
    const claimed = async () => {
      const query = `select count(*)::int as count from idempotency_key
        where user_id = any ($1::uuid[]) and claimed_until > now()`;
      const [row] = await sql<{ count: number }>(orm.em.fork(), query, [
        keys.map(({ userId }) => userId),
      ]);
      return row?.count;
    };
    expect(await claimed()).toBe(20);
  });

  it('go to one of twenty concurrent claims', async () => {
    const key = keyOf('b');
    const claims = Array.from({ length: 20 }, async () => {
      const { subjectId, outcome } = await claim(key);
      if (!outcome) await storeOutcome(orm.em.fork(), key, subjectId, { n: 7 });
      return { subjectId, isMine: outcome === null };
    });
    const results = await Promise.all(claims);
    expect(results.filter(({ isMine }) => isMine)).toHaveLength(1);
    expect(new Set(results.map(({ subjectId }) => subjectId)).size).toBe(1);
  });

  it('refuse another request under the same key, and are separate for each user', async () => {
    const key = keyOf('c');
    await claim(key);
    await expect(claim(key, fingerprintOf({ a: 2 }))).rejects.toMatchObject({
      extensions: { code: 'IDEMPOTENCY_KEY_REUSED' },
    });
    expect((await claim(keyOf('c'))).outcome).toBeNull();
  });

  it('fail with TRY_AGAIN if the request in progress does not complete in time', async () => {
    const key = keyOf('d');
    await claim(key);
    await expect(claim(key)).rejects.toMatchObject({ extensions: { code: 'TRY_AGAIN' } });
  });

  it('can be claimed again, with the same id, after a release or the death of the process', async () => {
    const key = keyOf('e');
    const first = await claim(key);
    release({ key, ...first });
    const second = await claim(key);
    expect(second).toMatchObject({ subjectId: first.subjectId, outcome: null });
    await sql(
      orm.em.fork(),
      `update idempotency_key set claimed_until = now() - interval '1 s' where user_id = $1`,
      [key.userId],
    );
    expect(await claim(key)).toMatchObject({ subjectId: first.subjectId, outcome: null });
  });

  it('accept no outcome of a claim from before they were deleted', async () => {
    const key = keyOf('g');
    const slow = await claim(key);
    await sql(orm.em.fork(), 'delete from idempotency_key where user_id = $1', [key.userId]);
    const next = await claim(key);
    await storeOutcome(orm.em.fork(), key, slow.subjectId, { n: 1 });
    release({ key, ...slow });
    await storeOutcome(orm.em.fork(), key, next.subjectId, { n: 2 });
    expect(await claim(key)).toMatchObject({ subjectId: next.subjectId, outcome: { n: 2 } });
  });

  it('are deleted after a day', async () => {
    const key = keyOf('f');
    const first = await claim(key);
    await storeOutcome(orm.em.fork(), key, first.subjectId, { n: 1 });
    const age = (hours: number) =>
      sql(
        orm.em.fork(),
        `update idempotency_key set created_at = now() - $2 * interval '1 hour' where user_id = $1`,
        [key.userId, hours],
      );
    await age(23);
    const pruneKeys = () => prune(orm.em, prunablesOf(orm.em, [IdempotencyKey]), logger);
    await pruneKeys();
    expect((await claim(key)).subjectId).toBe(first.subjectId);
    await age(25);
    await pruneKeys();
    expect((await claim(key)).subjectId).not.toBe(first.subjectId);
  });
});
