import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { accessTokenOf, hashOfToken } from '../../subgraphs/user/session/open-session.js';
import { readSigningKeys } from '../../subgraphs/user/session/signing-keys.js';
import { StartError } from '../databases/server-process.js';
import { seedId } from './ids.js';
import { seededPeopleMax } from './people.js';

/** Somebody of the seeded store who is logged in. Without the keys of the installation it opens nothing. */
export interface SeededSession {
  readonly userId: string;
  readonly email: string;
  readonly role: 'CUSTOMER' | 'VENDOR' | 'ADMIN';
  readonly sessionId: string;
}

const forDays = 30;
const sessionsFile = (folder: string) => join(folder, 'sessions.json');

/**
 * Logs in everybody of the seeded store, each once and by the same session every time, for benchmarks
 * that would otherwise wait for argon2 as often as they have customers. A session lasts 30 days from when
 * it was seeded last. Nobody knows its refresh token: it keeps the session from being cleaned up.
 *
 * @param url of the user subgraph's database
 * @throws StartError in production
 */
export async function seedSessions(url: string): Promise<SeededSession[]> {
  refuseInProduction();
  const ids = Array.from({ length: seededPeopleMax }, (_, n) => seedId('user', n));
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<Omit<SeededSession, 'sessionId'>>(
      'select id as "userId", email, role from user_account where id = any($1) order by id',
      [ids],
    );
    const sessionOf = new Map(ids.map((id, n) => [id, seedId('session', n)]));
    const sessions = rows.map((row) => {
      return { ...row, sessionId: sessionOf.get(row.userId) as string };
    });
    await client.query(
      `with opened as (
         insert into login_session (id, user_id)
         select * from unnest($1::uuid[], $2::uuid[]) as s (id, user_id)
         on conflict (id) do update set ended_at = null, updated_at = now() returning id)
       insert into refresh_token (hash, session_id, expires_at)
       select hash, session_id, now() + $4 * interval '1 day'
       from unnest($3::text[], $1::uuid[]) as t (hash, session_id) join opened on id = session_id`,
      [
        sessions.map(({ sessionId }) => sessionId),
        sessions.map(({ userId }) => userId),
        sessions.map(() => hashOfToken(randomBytes(32).toString('base64url'))),
        forDays,
      ],
    );
    return sessions;
  } finally {
    await client.end();
  }
}

/** Keeps the sessions in a state folder, for its owner only. @returns the name of the file */
export function writeSessions(folder: string, sessions: readonly SeededSession[]): string {
  const file = sessionsFile(folder);
  writeFileSync(`${file}.part`, JSON.stringify(sessions), { mode: 0o600 });
  renameSync(`${file}.part`, file);
  return file;
}

/**
 * The sessions that were seeded here, each with an access token, good for 15 minutes from now: it is
 * signed by the key of this installation.
 *
 * @throws StartError in production, and where none were seeded
 */
export async function readSessions(folder: string) {
  refuseInProduction();
  const [file, secrets] = [sessionsFile(folder), join(folder, 'secrets.json')];
  if (!existsSync(file) || !existsSync(secrets)) {
    throw new StartError('There are no sessions here: npm start, then npm run seed.');
  }
  const { signingKeys } = JSON.parse(readFileSync(secrets, 'utf8')) as { signingKeys: string };
  return withTokens(JSON.parse(readFileSync(file, 'utf8')) as SeededSession[], signingKeys);
}

/** @param signingKeys `AUTH_SIGNING_KEYS` of the system they log in to */
export async function withTokens(sessions: readonly SeededSession[], signingKeys: string) {
  refuseInProduction();
  const keys = await readSigningKeys(signingKeys);
  return Promise.all(
    sessions.map(async (session) => {
      const who = { id: session.userId, role: session.role };
      return { ...session, ...(await accessTokenOf(keys, who, session.sessionId)) };
    }),
  );
}

function refuseInProduction(): void {
  if (process.env.NODE_ENV === 'production') {
    throw new StartError('Sessions are not seeded in production: everybody could be anybody.');
  }
}
