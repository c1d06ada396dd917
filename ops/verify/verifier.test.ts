import pg from 'pg';
import { newId, newIdAt } from '../../subgraphs/shared/ids.js';
import { createAllTestDatabases } from '../../tests/harness/databases.js';
import type { DatabaseUrls } from '../databases/urls.js';
import { type Invariant, invariantOf, type OffendingRow, type Scope } from './invariant.js';
import { lastFullDueAt } from './serve-verdicts.js';
import { createVerifier } from './verifier.js';
import { isBroken, report, verify } from './verify.js';

const soon = { looksApartMs: 0 };

describe('passes of verify', () => {
  let databases: { urls: DatabaseUrls; drop(): Promise<void> };
  let client: pg.Client;
  beforeAll(async () => {
    databases = await createAllTestDatabases();
    client = new pg.Client({ connectionString: databases.urls.user });
    await client.connect();
    await client.query('create table sample (id uuid primary key, good boolean not null)');
  });
  beforeEach(() => client.query('delete from sample'));
  afterAll(async () => {
    await client.end();
    await databases.drop();
  });

  const insert = (id: string, good: boolean, by = client) =>
    by.query('insert into sample values ($1, $2)', [id, good]);
  const samplesAreGood = invariantOf('user', 'samples are good', {
    key: { id: 'uuid' },
    changedWhere: ({ id }) => `id >= '${id}'`,
    select: (only) => `select id, good from sample where ${only('id')}`,
    holds: 'good',
  });
  const slow = invariantOf('user', 'slow', {
    key: { id: 'uuid' },
    select: () => 'select null::uuid as id, pg_sleep(60)',
    holds: 'true',
  });
  /** An invariant whose looks return these rows, one after the other. */
  function scripted(looks: OffendingRow[][]) {
    const scopes: Scope[] = [];
    const invariant: Invariant = {
      name: 'scripted',
      key: ['id'],
      async check(_readers, scope) {
        scopes.push(scope);
        return { rows: 1, offending: looks[scopes.length - 1] ?? [] };
      },
    };
    return { invariant, scopes };
  }
  async function verifierOf(...only: Invariant[]) {
    const verifier = createVerifier(databases.urls, { ...soon, only });
    return {
      verifier,
      async recent() {
        const [verdict] = await verifier.recentPass();
        return verdict?.offending.map(({ id }) => id);
      },
    };
  }

  it('count a row only if it offends at two looks, and look only at rows that did before', async () => {
    const [a, b, c] = [{ id: 'a' }, { id: 'b' }, { id: 'c' }];
    const { invariant, scopes } = scripted([
      [a, b],
      [b, c],
    ]);
    const verdicts = await verify(databases.urls, { ...soon, only: [invariant] });
    expect(verdicts[0]?.offending).toEqual([b]);
    expect(scopes).toEqual([{ of: 'all' }, { of: 'rows', rows: [a, b] }]);
  });

  it('count no row that held at a look in between', async () => {
    const a = { id: 'a' };
    const { invariant } = scripted([[a], [], [a]]);
    const options = { looksApartMs: 60_000, only: [invariant] };
    expect((await verify(databases.urls, options))[0]?.offending).toEqual([]);
  });

  it('report an invariant that passed its deadline as not checked, and check the others', async () => {
    await insert(newId(), false);
    const options = { ...soon, deadlineMs: 300, only: [slow, samplesAreGood] };
    const verdicts = await verify(databases.urls, options);
    expect(verdicts).toMatchObject([
      { offending: [], notChecked: 'it took longer than 0.3 s' },
      { offending: [{ good: false }], notChecked: null },
    ]);
    expect(report(verdicts)).toMatch(/^NOT CHECKED .* slow$/m);
    expect(isBroken(verdicts.slice(0, 1))).toBe(true);
  });

  it('report an invariant that cannot be read as not checked', async () => {
    const broken = invariantOf('user', 'no table', {
      key: { id: 'uuid' },
      select: () => 'select id from nothing',
      holds: 'true',
    });
    const verdicts = await verify(databases.urls, { ...soon, only: [broken] });
    expect(verdicts[0]?.notChecked).toContain('nothing');
  });

  it('find a row whose id was made before a pass and whose COMMIT came after it', async () => {
    const { verifier, recent } = await verifierOf(samplesAreGood);
    await recent();
    await client.query('begin');
    const id = newId();
    await insert(id, false);
    const other = await verifierOf(samplesAreGood);
    expect([await recent(), await recent(), await other.recent()]).toEqual([[], [], []]);
    await client.query('commit');
    expect([await recent(), await other.recent()]).toEqual([[id], [id]]);
    await Promise.all([verifier.end(), other.verifier.end()]);
  });

  it('leave old rows to the full pass, and report what it found until it holds', async () => {
    const { verifier, recent } = await verifierOf(samplesAreGood);
    const id = newIdAt(Date.now() - 3_600_000);
    await insert(id, false);
    expect(await recent()).toEqual([]);
    await verifier.fullPass();
    expect(verifier.violationsOf('samples are good')).toBe(1);
    expect([await recent(), await recent()]).toEqual([[id], [id]]);
    await client.query('update sample set good = true');
    expect([await recent(), verifier.violationsOf('samples are good')]).toEqual([[], 0]);
    await verifier.end();
  });

  it('begin again where the last pass began that checked the invariant', async () => {
    const since: string[] = [];
    const failing: Invariant = {
      name: 'failing',
      key: ['id'],
      async check(_readers, scope) {
        if (scope.of === 'changed') since.push(scope.since.user.id);
        if (since.length < 3) throw new Error('away');
        return { rows: 0, offending: [] };
      },
    };
    const { verifier } = await verifierOf(failing);
    for (let pass = 0; pass < 4; pass++) {
      await verifier.recentPass();
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(since[1]).toBe(since[0]);
    expect(since[2]).toBe(since[0]);
    expect((since[3] as string) > (since[0] as string)).toBe(true);
    await verifier.end();
  });

  it.each([
    ['2026-11-28T02:59:00Z', '2026-11-27T03:00:00Z'],
    ['2026-11-28T03:00:00Z', '2026-11-28T03:00:00Z'],
  ])('are full once a night: at %s the last was due at %s', (now, due) => {
    expect(lastFullDueAt(Date.parse(now))).toBe(Date.parse(due));
  });
});
