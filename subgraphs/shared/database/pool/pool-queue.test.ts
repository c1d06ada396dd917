import pg from 'pg';
import { createTestDatabases } from '../../../../tests/harness/databases.js';
import { asBegun, requestTrace } from '../../observability/request-context.js';
import { PoolBusy, type PoolQueueLimits, queueForPool, queueOf } from './pool-queue.js';

const turn = () => new Promise((resolve) => setTimeout(resolve, 5));
const asRequest = <T>(work: () => Promise<T>) => requestTrace.run({ requestId: 'r' }, work);
const asRead = <T>(work: () => Promise<T>) =>
  requestTrace.run({ requestId: 'r', isRead: true }, work);

describe('the queue in front of a pool', () => {
  let databases: Awaited<ReturnType<typeof createTestDatabases<'user'>>>;
  let pool: pg.Pool;
  beforeAll(async () => {
    databases = await createTestDatabases(['user']);
  });
  afterAll(() => databases.drop());
  afterEach(() => pool.end());

  function open(limits: Partial<PoolQueueLimits> = {}) {
    pool = new pg.Pool({ connectionString: databases.urls.user, max: 2 });
    pool.on('error', () => {});
    queueForPool(pool, { waitingMax: 10, waitMaxMs: 60_000, readsMax: 2, ...limits });
  }
  /** Takes a connection, and notes it. @returns a function that releases it, once there is one */
  function taking(names: string[], name: string) {
    return async () => {
      const client = await pool.connect();
      names.push(name);
      return () => client.release();
    };
  }
  /** Takes all connections. */
  const holdAll = () => Promise.all([1, 2].map(() => asRequest(taking([], ''))));

  it('refuses a request at once when it is full, and admits it when a connection is free', async () => {
    open({ waitingMax: 1 });
    const names: string[] = [];
    const held = await holdAll();
    const waiting = asRequest(taking(names, 'c'));
    await turn();
    await expect(asRequest(taking(names, 'd'))).rejects.toMatchObject({ reason: 'full' });
    for (const release of held) release();
    const releaseWaiting = await waiting;
    (await asRequest(taking(names, 'e')))();
    releaseWaiting();
    expect(names).toEqual(['c', 'e']);
    expect(queueOf(pool)).toMatchObject({ length: 0, refused: { full: 1, late: 0 } });
  });

  it('refuses a request that waited too long, and gives its connection to another', async () => {
    open({ waitMaxMs: 50 });
    const names: string[] = [];
    const held = await holdAll();
    await expect(asRequest(taking(names, 'late'))).rejects.toBeInstanceOf(PoolBusy);
    const worker = taking(names, 'worker')();
    for (const release of held) release();
    (await worker)();
    expect(names).toEqual(['worker']);
  });

  it('never refuses what has begun, and serves it before new requests', async () => {
    open({ waitMaxMs: 50, waitingMax: 1 });
    const names: string[] = [];
    const held = await holdAll();
    let second: Promise<() => void> | undefined;
    const begun = requestTrace.run({ requestId: 'r', isBegun: true }, taking(names, 'begun'));
    const batch = asRequest(() => asBegun(taking(names, 'batch')));
    const refused = await Promise.allSettled([1, 2].map(() => asRequest(taking(names, 'new'))));
    expect(refused.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    // A request that gets a connection has begun.
    await asRequest(async () => {
      for (const release of held) release();
      (await begun)();
      (await batch)();
      const first = await taking(names, 'first')();
      const other = await asRequest(taking(names, 'other'));
      second = taking(names, 'second')();
      await new Promise((resolve) => setTimeout(resolve, 150));
      first();
      other();
    });
    (await second)?.();
    expect(names).toEqual(['begun', 'batch', 'first', 'other', 'second']);
  });

  it('serves work that has begun before requests that came earlier', async () => {
    open();
    const names: string[] = [];
    const held = await holdAll();
    const waiting = [asRead(taking(names, 'read')), asRequest(taking(names, 'mutation'))];
    await turn();
    waiting.push(taking(names, 'worker')());
    await turn();
    held[0]?.();
    for (const next of [2, 1, 0]) (await waiting[next])?.();
    held[1]?.();
    expect(names).toEqual(['worker', 'mutation', 'read']);
  });

  it('leaves connections for mutations while queries use all of theirs', async () => {
    open({ readsMax: 1 });
    const names: string[] = [];
    const read = await asRead(taking(names, 'read'));
    const nextRead = asRead(taking(names, 'next read'));
    await turn();
    (await asRequest(taking(names, 'mutation')))();
    expect(names).toEqual(['read', 'mutation']);
    read();
    (await nextRead)();
    expect(names).toEqual(['read', 'mutation', 'next read']);
  });

  it('also counts the connection of a single statement', async () => {
    open({ waitingMax: 1 });
    const names: string[] = [];
    const held = await holdAll();
    const queried = asRequest(async () => pool.query('select 1 as one'));
    await turn();
    await expect(asRequest(taking(names, 'c'))).rejects.toMatchObject({ reason: 'full' });
    for (const release of held) release();
    expect((await queried).rows).toEqual([{ one: 1 }]);
    expect(queueOf(pool)?.length).toBe(0);
    for (const release of await holdAll()) release();
  });

  it('counts a connection once, whether it is released, lost or never opened', async () => {
    open();
    for (let round = 0; round < 3; round++) {
      const lost = await pool.connect();
      lost.release(true);
    }
    const broken = new pg.Pool({ host: '127.0.0.1', port: 9, max: 1 });
    queueForPool(broken, { waitingMax: 1, waitMaxMs: 60_000, readsMax: 1 });
    for (let round = 0; round < 3; round++) {
      await expect(broken.connect()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    }
    for (const release of await holdAll()) release();
    expect(queueOf(pool)?.length).toBe(0);
  });
});
