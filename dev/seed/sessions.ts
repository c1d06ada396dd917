import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { readSigningKeys } from '../../subgraphs/shared/auth/signing-keys.js';
import { accessTokenOf, hashOfToken } from '../../subgraphs/user/session/open-session.js';
import { StartError } from '../databases/server-process.js';
import { seedId } from './ids.js';
import { seededPeopleMax } from './people.js';

/** A session of an account of the seeded store. It is of no use without the installation's signing keys. */
export interface SeededSession {
  readonly userId: string;
  readonly email: string;
  readonly role: 'CUSTOMER' | 'VENDOR' | 'ADMIN';
  readonly sessionId: string;
}

const validDays = 30;
const sessionsFile = (folder: string) => join(folder, 'sessions.json');

/**
 * Opens one session for each account of the seeded store, the same one every time. It spares benchmarks a
 * login, and so argon2, for each customer. A session lasts 30 days from the last time it was seeded. Its
 * refresh token is discarded; its row keeps the session from being pruned.
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
         insert into login_session (id, user_id, expires_at)
         select id, user_id, now() + $4 * interval '1 day'
         from unnest($1::uuid[], $2::uuid[]) as s (id, user_id)
         on conflict (id) do update
           set ended_at = null, expires_at = excluded.expires_at, updated_at = now()
         returning id)
       insert into refresh_token (hash, session_id, expires_at)
       select hash, session_id, now() + $4 * interval '1 day'
       from unnest($3::text[], $1::uuid[]) as t (hash, session_id) join opened on id = session_id`,
      [
        sessions.map(({ sessionId }) => sessionId),
        sessions.map(({ userId }) => userId),
        sessions.map(() => hashOfToken(randomBytes(32).toString('base64url'))),
        validDays,
      ],
    );
    return sessions;
  } finally {
    await client.end();
  }
}

/** Writes the sessions to a file in the state folder that only its owner can read. @returns the file's path */
export function writeSessions(folder: string, sessions: readonly SeededSession[]): string {
  const file = sessionsFile(folder);
  writeFileSync(`${file}.part`, JSON.stringify(sessions), { mode: 0o600 });
  renameSync(`${file}.part`, file);
  return file;
}

/**
 * The seeded sessions of a state folder, each with an access token that is valid for 15 minutes from now.
 *
 * @throws StartError in production, and where no sessions were seeded
 */
export async function readSessions(folder: string) {
  refuseInProduction();
  const [file, secrets] = [sessionsFile(folder), join(folder, 'secrets.json')];
  if (!existsSync(file) || !existsSync(secrets)) {
    throw new StartError('There are no seeded sessions. Run `npm start`, then `npm run seed`.');
  }
  const { signingKeys } = JSON.parse(readFileSync(secrets, 'utf8')) as { signingKeys: string };
  return withTokens(JSON.parse(readFileSync(file, 'utf8')) as SeededSession[], signingKeys);
}

/** Adds access tokens. @param signingKeys `AUTH_SIGNING_KEYS` of the system for which they are */
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
    throw new StartError(
      'Sessions are not seeded in production: anyone could use them to act as any account.',
    );
  }
}
