import pg from 'pg';
import { readSigningKeys } from '../../subgraphs/shared/auth/signing-keys.js';
import { newId } from '../../subgraphs/shared/ids.js';
import { accessTokenOf } from '../../subgraphs/user/session/open-session.js';

interface Place {
  readonly databases: { readonly user: string };
  readonly secrets: { readonly signingKeys: string };
}
export interface Buyer {
  readonly id: string;
  /** access token */
  readonly token: string;
}

/** Customers with open sessions. They are inserted: to register thousands would take minutes of hashing. */
export async function openBuyers({ databases, secrets }: Place, count: number): Promise<Buyer[]> {
  const keys = await readSigningKeys(secrets.signingKeys);
  const buyers = Array.from({ length: count }, () => ({ id: newId(), sessionId: newId() }));
  const client = new pg.Client({ connectionString: databases.user });
  await client.connect();
  try {
    const ids = buyers.map(({ id }) => id);
    await client.query(
      `insert into user_account (id, name, name_key, email, email_verified, password_hash, role)
       select id, 'Buyer', 'buyer', id || '@example.com', true, '', 'CUSTOMER'
       from unnest($1::uuid[]) as id`,
      [ids],
    );
    await client.query(
      `insert into login_session (id, user_id, expires_at)
       select session_id, user_id, now() + interval '1 day'
       from unnest($1::uuid[], $2::uuid[]) as opened (session_id, user_id)`,
      [buyers.map(({ sessionId }) => sessionId), ids],
    );
  } finally {
    await client.end();
  }
  return Promise.all(
    buyers.map(async ({ id, sessionId }) => {
      const { accessToken } = await accessTokenOf(keys, { id, role: 'CUSTOMER' }, sessionId);
      return { id, token: accessToken };
    }),
  );
}
