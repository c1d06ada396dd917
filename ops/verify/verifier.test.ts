import { jest } from '@jest/globals';
import pg from 'pg';
import { newId, newIdAt } from '../../subgraphs/shared/ids.js';
import { createAllTestDatabases } from '../../tests/harness/databases.js';
import type { DatabaseUrls } from '../databases/urls.js';
import { subgraphNames } from '../subgraph-names.js';
import { type Invariant, invariantOf, madeIn, type OffendingRow, type Scope } from './invariant.js';
import { DeadlinePassed } from './readers.js';
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
    changedWhere: (period) => madeIn(period, 'id'),
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
      excuses: false,
      async check(_readers, scope) {
        scopes.push(scope);
        return { rows: 1, offending: looks[scopes.length - 1] ?? [], excused: [] };
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
      excuses: false,
      async check(_readers, scope) {
        if (scope.of === 'changed') since.push(scope.since.user.id);
        if (since.length < 3) throw new Error('away');
        return { rows: 0, offending: [], excused: [] };
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

  /** An invariant that takes longer than any deadline for changes of more than some minutes. */
  function slowIn(minutes: number) {
    const windows: number[] = [];
    const invariant: Invariant = {
      name: 'slow in long windows',
      key: ['id'],
      excuses: false,
      async check(_readers, scope) {
        if (scope.of === 'changed') {
          const end = scope.until ? Date.parse(scope.until.user.time) : Date.now();
          const windowMs = end - Date.parse(scope.since.user.time);
          windows.push(Math.round(windowMs / 60_000));
          if (windowMs > minutes * 60_000) throw new DeadlinePassed();
        }
        return { rows: 0, offending: [], excused: [] };
      },
    };
    return { invariant, windows };
  }

  /** A verifier of databases that are all away, so that the clock is that of the test. */
  async function passesAt(minutes: readonly number[], invariant: Invariant) {
    const away = Object.fromEntries(
      subgraphNames.map((name) => [name, 'postgres://127.0.0.1:1/x']),
    );
    const startMs = Date.now();
    let nowMs = startMs;
    const clock = jest.spyOn(Date, 'now').mockImplementation(() => nowMs);
    const verifier = createVerifier(away as unknown as DatabaseUrls, {
      ...soon,
      only: [invariant],
    });
    const reasons: (string | null | undefined)[] = [];
    for (const minute of minutes) {
      nowMs = startMs + minute * 60_000;
      const [verdict] = await verifier.recentPass();
      reasons.push(verdict?.notChecked);
    }
    clock.mockRestore();
    await verifier.end();
    return reasons;
  }

  it('check a backlog in shorter parts after a missed deadline, and say until then that changes are left', async () => {
    // With the overlap of a minute.
    const { invariant, windows } = slowIn(4);
    const reasons = await passesAt([0, 6, 7, 8, 9, 10], invariant);
    expect(windows).toEqual([1, 7, 4, 6, 4, 6]);
    expect(reasons).toEqual([
      null,
      'it took longer than 10 s',
      'changes of the last 240 s are left to check',
      'it took longer than 10 s',
      'changes of the last 210 s are left to check',
      'it took longer than 10 s',
    ]);
  });

  it('continue after a full pass, which checked the backlog', async () => {
    const since: number[] = [];
    const invariant: Invariant = {
      ...slowIn(0).invariant,
      async check(_readers, scope) {
        if (scope.of === 'all') return { rows: 0, offending: [], excused: [] };
        if (scope.of === 'changed') since.push(Date.parse(scope.since.user.time));
        throw new DeadlinePassed();
      },
    };
    const { verifier } = await verifierOf(invariant);
    await verifier.recentPass();
    await new Promise((resolve) => setTimeout(resolve, 5));
    await verifier.fullPass();
    await verifier.recentPass();
    await verifier.end();
    expect(since[1]).toBeGreaterThan(since[0] as number);
  });

  it('check the invariants of the other databases while one is away', async () => {
    const id = newId();
    const ofShop = invariantOf('shop', 'offers', {
      key: { id: 'uuid' },
      select: () => 'select id from offer',
      holds: 'true',
    });
    await insert(id, false);
    const urls = { ...databases.urls, shop: 'postgres://127.0.0.1:1/x' };
    const verifier = createVerifier(urls, { ...soon, only: [samplesAreGood, ofShop] });
    expect(await verifier.recentPass()).toMatchObject([
      { offending: [{ id }], notChecked: null },
      { offending: [], notChecked: expect.stringContaining('ECONNREFUSED') },
    ]);
    await expect(verifier.fullPass()).rejects.toThrow('ECONNREFUSED');
    await verifier.end();
  });

  it('look at an excused row at each pass until it holds, however old it is', async () => {
    await client.query('alter table sample add column if not exists working boolean');
    const excusing = invariantOf('user', 'samples are good in the end', {
      key: { id: 'uuid' },
      changedWhere: (period) => madeIn(period, 'id'),
      select: (only) => `select id, good, working from sample where ${only('id')}`,
      holds: 'good',
      inProgress: 'working',
    });
    const { verifier, recent } = await verifierOf(excusing);
    const [old, late] = [newIdAt(Date.now() - 3_600_000), newId()];
    await insert(old, false);
    await insert(late, false);
    await client.query('update sample set working = true');
    await verifier.fullPass();
    expect([await recent(), await recent()]).toEqual([[], []]);
    await client.query('update sample set working = false');
    expect(new Set(await recent())).toEqual(new Set([old, late]));
    expect(verifier.violationsOf('samples are good in the end')).toBe(2);
    await client.query('update sample set working = true');
    expect(await recent()).toEqual([]);
    await client.query('update sample set working = false');
    expect(new Set(await recent())).toEqual(new Set([old, late]));
    await verifier.end();
  });

  it('count a row once that both passes found', async () => {
    const { verifier, recent } = await verifierOf(samplesAreGood);
    const id = newId();
    await recent();
    await insert(id, false);
    expect(await recent()).toEqual([id]);
    await verifier.fullPass();
    expect(verifier.violationsOf('samples are good')).toBe(1);
    await verifier.end();
  });

  it('look at everything again at rest, once what was in progress has ended', async () => {
    const a = { id: 'a' };
    // Work that ends at the second look breaks another invariant, which held at the first one.
    const { invariant: ending } = scripted([[a], [], []]);
    const { invariant: broken, scopes } = scripted([[], [a], [a]]);
    const options = { atRest: true, looksApartMs: 0 };
    const verdicts = await verify(databases.urls, {
      ...options,
      only: [ending, { ...broken, name: 'broken later' }],
    });
    expect(verdicts.map(({ offending }) => offending)).toEqual([[], [a]]);
    expect(scopes.map(({ of }) => of)).toEqual(['all', 'all', 'rows']);
  });

  it('say that a system is not at rest whose rows never stop to be in progress', async () => {
    let looks = 0;
    const { invariant } = scripted([]);
    const busy: Invariant = {
      ...invariant,
      check: async () => ({ rows: 1, offending: looks++ % 2 ? [] : [{ id: 'a' }], excused: [] }),
    };
    const options = { atRest: true, looksApartMs: 0, only: [busy] };
    expect(await verify(databases.urls, options)).toMatchObject([
      { offending: [], notChecked: 'rows were in progress at each look' },
    ]);
  });

  it('report each verdict of a full pass as soon as it is final', async () => {
    const order: string[] = [];
    const later: Invariant = {
      ...scripted([]).invariant,
      name: 'later',
      async check() {
        await new Promise((resolve) => setTimeout(resolve, 300));
        return { rows: 0, offending: [], excused: [] };
      },
    };
    const { verifier } = await verifierOf(later, samplesAreGood);
    await insert(newId(), false);
    const seen: number[] = [];
    await verifier.fullPass(({ name }) => {
      order.push(name);
      seen.push(verifier.violationsOf('samples are good'));
    });
    expect([order, seen]).toEqual([
      ['samples are good', 'later'],
      [1, 1],
    ]);
    await verifier.end();
  });

  it.each([
    ['2026-11-28T02:59:00Z', '2026-11-27T03:00:00Z'],
    ['2026-11-28T03:00:00Z', '2026-11-28T03:00:00Z'],
  ])('are full once a night: at %s the last was due at %s', (now, due) => {
    expect(lastFullDueAt(Date.parse(now))).toBe(Date.parse(due));
  });
});
