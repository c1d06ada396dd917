import { createHash } from 'node:crypto';
import { decodeJwt } from 'jose';
import pg from 'pg';
import { connect, disconnect } from '../subgraphs/shared/database/connect.js';
import {
  noProgress,
  type Prunable,
  prunablesOf,
  prune,
  pruneBatch,
} from '../subgraphs/shared/database/prune.js';
import { databaseSchema } from '../subgraphs/user/mikro-orm.config.js';
import { LoginSession } from '../subgraphs/user/session/login-session.js';
import { sessionsOf, type Tokens } from './harness/sessions.js';
import { logger } from './harness/stock-engine.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { someoneWaits } from './harness/wait.js';

const refused = 'InvalidCredentials';

describe('a refresh token', () => {
  let system: TestSystem;
  let database: pg.Client;
  let calls: ReturnType<typeof sessionsOf>;
  beforeAll(async () => {
    system = await startSystem();
    calls = sessionsOf(system);
    database = new pg.Client({ connectionString: system.databases.user });
    await database.connect();
  });
  afterAll(async () => {
    await database.end();
    await system.stop();
  });

  const firstTokens = async () => (await calls.register()).tokens;
  const refreshed = async (token: string) => {
    const tokens = await calls.refresh(token);
    expect(tokens.__typename).toBe('Session');
    return tokens;
  };
  const outcomeOf = async (token: string) => (await calls.refresh(token)).__typename;
  const idOf = ({ accessToken }: Tokens) => decodeJwt<{ sid: string }>(accessToken).sid;
  const hashOf = (token: string) => createHash('sha256').update(token).digest('base64url');

  /** The session's row and those of its tokens, as they are stored. */
  const stored = async (tokens: Tokens) => {
    const { rows } = await database.query(
      `select s.ended_at, s.expires_at as session_expires_at, t.* from login_session s
       join refresh_token t on t.session_id = s.id where s.id = $1 order by t.created_at`,
      [idOf(tokens)],
    );
    return rows;
  };
  const expectEnded = async (tokens: Tokens) => {
    expect((await stored(tokens))[0].ended_at).toEqual(expect.any(Date));
  };
  const setUsed = (token: string, secondsAgo: number) =>
    database.query(
      'update refresh_token set used_at = now() - make_interval(secs => $2) where hash = $1',
      [hashOf(token), secondsAgo],
    );
  const meWith = async ({ accessToken }: Tokens) =>
    (await system.graphql('{ me { email } }', {}, accessToken)).data.me.email;

  it('is replaced at each use, and ends its session when its successor was used before', async () => {
    const first = await firstTokens();
    const second = await refreshed(first.refreshToken);
    expect(second.refreshToken).not.toBe(first.refreshToken);
    expect(await meWith(second)).toEqual(expect.any(String));
    const third = await refreshed(second.refreshToken);
    expect(await outcomeOf(first.refreshToken)).toBe(refused);
    await expectEnded(third);
    for (const { refreshToken } of [second, third]) {
      expect(await outcomeOf(refreshToken)).toBe(refused);
    }
  });

  it('returns the same successor when it is used twice within 30 s', async () => {
    const { email, tokens: first } = await calls.register();
    const second = await refreshed(first.refreshToken);
    await setUsed(first.refreshToken, 25);
    const before = await stored(second);
    const repeated = await refreshed(first.refreshToken);
    expect(repeated.refreshToken).toBe(second.refreshToken);
    expect(idOf(repeated)).toBe(idOf(first));
    expect(await stored(second)).toEqual(before);
    expect(before.map(({ used_at }) => used_at !== null)).toEqual([true, false]);
    for (const tokens of [second, repeated]) expect(await meWith(tokens)).toBe(email);
    await refreshed(repeated.refreshToken);
  });

  it('has one successor when it is used twenty times at once', async () => {
    const first = await firstTokens();
    const all = await Promise.all(Array.from({ length: 20 }, () => refreshed(first.refreshToken)));
    expect(new Set(all.map(({ refreshToken }) => refreshToken)).size).toBe(1);
    expect(new Set(all.map(idOf))).toEqual(new Set([idOf(first)]));
    const rows = await stored(first);
    expect(rows.map(({ hash }) => hash)).toEqual(
      [first, all[0] as Tokens].map(({ refreshToken }) => hashOf(refreshToken)),
    );
    await refreshed(all[0]?.refreshToken as string);
  });

  it('ends its session when its successor is being used at the same moment', async () => {
    const first = await firstTokens();
    const second = await refreshed(first.refreshToken);
    await database.query('begin');
    await database.query('select 1 from login_session where id = $1 for update', [idOf(first)]);
    await setUsed(second.refreshToken, 0);
    const late = outcomeOf(first.refreshToken);
    await someoneWaits(database);
    await database.query('commit');
    expect(await late).toBe(refused);
    await expectEnded(first);
  });

  it('ends its session when it is used again after 30 s', async () => {
    const first = await firstTokens();
    const second = await refreshed(first.refreshToken);
    await setUsed(first.refreshToken, 31);
    expect(await outcomeOf(first.refreshToken)).toBe(refused);
    await expectEnded(second);
    expect(await stored(second)).toHaveLength(2);
    expect(await outcomeOf(second.refreshToken)).toBe(refused);
  });

  it('ends its session when it is used after the password was changed', async () => {
    for (const uses of [0, 1]) {
      const first = await firstTokens();
      if (uses === 1) await refreshed(first.refreshToken);
      const { data } = await calls.changePassword(first.accessToken, 'secret-1', 'secret-3');
      expect(data.changePassword.__typename).toBe('Session');
      expect(await outcomeOf(first.refreshToken)).toBe(refused);
      await expectEnded(first);
      expect(await outcomeOf(data.changePassword.refreshToken)).toBe(refused);
    }
  });

  it('is refused after logout, and so is its successor', async () => {
    const first = await firstTokens();
    const second = await refreshed(first.refreshToken);
    await calls.logout(second.accessToken);
    const before = await stored(first);
    for (const { refreshToken } of [first, second]) {
      expect(await outcomeOf(refreshToken)).toBe(refused);
    }
    expect(await stored(first)).toEqual(before);
  });

  it('is stored as a hash only, and so is its successor', async () => {
    const first = await firstTokens();
    const second = await refreshed(first.refreshToken);
    await refreshed(first.refreshToken);
    const text = JSON.stringify(await stored(first));
    for (const { refreshToken } of [first, second]) {
      expect(refreshToken).toMatch(/^[\w-]{43}$/); // 256 bits
      expect(text).toContain(hashOf(refreshToken));
      expect(text).not.toContain(refreshToken);
    }
  });

  const setRow = (tokens: Tokens, values: string) =>
    database.query(`update login_session set ${values} where id = $1`, [idOf(tokens)]);
  const pruneSessions = async () => {
    const settings = { name: 'test', url: system.databases.user, poolMax: 1 };
    const orm = await connect(settings, databaseSchema);
    await prune(orm.em, prunablesOf(orm.em, [LoginSession]), logger);
    await disconnect(orm);
  };

  it('that was used stays as long as its session, and ends it also after it has expired', async () => {
    const first = await firstTokens();
    const second = await refreshed(first.refreshToken);
    await database.query(
      `update refresh_token set expires_at = now() - interval '1 day',
         used_at = now() - interval '31 days' where hash = $1`,
      [hashOf(first.refreshToken)],
    );
    await pruneSessions();
    expect(await stored(second)).toHaveLength(2);
    expect(await outcomeOf(first.refreshToken)).toBe(refused);
    await expectEnded(second);
    await pruneSessions();
    expect(await stored(second)).toHaveLength(2);
    await setRow(second, `expires_at = now() - interval '1 s'`);
    await pruneSessions();
    expect(await stored(second)).toEqual([]);
  });

  it('is deleted with its session once the last one has expired', async () => {
    const [expired, live] = [await firstTokens(), await firstTokens()];
    const last = await refreshed(expired.refreshToken);
    await setRow(last, `expires_at = now() - interval '1 s'`);
    await pruneSessions();
    expect(await stored(last)).toEqual([]);
    expect(await stored(live)).toHaveLength(1);
  });

  it('is deleted in batches of 5000, and its session with the last one', async () => {
    const tokens = await firstTokens();
    await database.query(
      `insert into refresh_token (hash, session_id, expires_at)
       select left(md5(n::text) || md5(n::text), 43), $1, now() from generate_series(1, 12000) as n`,
      [idOf(tokens)],
    );
    const live = await firstTokens();
    await setRow(tokens, `expires_at = now() - interval '1 s'`);
    const settings = { name: 'test', url: system.databases.user, poolMax: 1 };
    const orm = await connect(settings, databaseSchema);
    const [rule] = prunablesOf(orm.em, [LoginSession]) as [Prunable];
    const progress = noProgress();
    for (const left of [7001, 2001, 0]) {
      await pruneBatch(orm.em, rule, progress);
      expect(await stored(tokens)).toHaveLength(left);
    }
    await disconnect(orm);
    expect(await stored(live)).toHaveLength(1);
  });

  it('does not outlive its session, which ends 180 days after the login', async () => {
    const first = await firstTokens();
    await setRow(first, `created_at = now() - interval '179 days'`);
    const second = await refreshed(first.refreshToken);
    const rows = await stored(second);
    const leftMs = rows.at(-1).expires_at.getTime() - Date.now();
    expect(Math.round(leftMs / 3_600_000)).toBe(24);
    expect(rows.at(-1).session_expires_at).toEqual(rows.at(-1).expires_at);
    await setRow(second, `created_at = now() - interval '181 days'`);
    const third = await refreshed(second.refreshToken);
    expect(await outcomeOf(third.refreshToken)).toBe(refused);
    await expectEnded(third);
  });

  it('has at most 20,000 successors; then its session ends', async () => {
    const first = await firstTokens();
    await setRow(first, 'refreshes = 19999');
    const last = await refreshed(first.refreshToken);
    expect(await outcomeOf(last.refreshToken)).toBe(refused);
    await expectEnded(last);
  });

  it('is refused when it has expired or was never issued', async () => {
    const first = await firstTokens();
    await database.query(
      `update refresh_token set expires_at = now() - interval '1 s' where hash = $1`,
      [hashOf(first.refreshToken)],
    );
    for (const token of [first.refreshToken, '', 'x', 'x'.repeat(5000), first.accessToken]) {
      expect(await outcomeOf(token)).toBe(refused);
    }
  });

  it('has the same successor after a restart, but ends its session when OTP_SECRET has changed', async () => {
    const first = await firstTokens();
    const second = await refreshed(first.refreshToken);
    const restart = async (settings: Record<string, string> = {}) => {
      await system.stopProcess('user');
      await system.start('user', settings);
    };
    await restart();
    expect((await refreshed(first.refreshToken)).refreshToken).toBe(second.refreshToken);
    await restart({ OTP_SECRET: 'another-secret-of-codes' });
    const other = await firstTokens();
    await refreshed(other.refreshToken);
    await refreshed(other.refreshToken);
    expect(await outcomeOf(first.refreshToken)).toBe(refused);
    await expectEnded(first);
    await restart();
  });
});
