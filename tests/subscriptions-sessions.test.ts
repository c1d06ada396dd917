import { Redis } from 'ioredis';
import { sessionEndedChannel, sessionsMessage } from '../subgraphs/contracts/session-ended.js';
import { type Answer, gauge, type LiveClient, liveClients, overWebSocket } from './harness/live.js';
import { logIn, openShop, type Person, registerPerson } from './harness/people.js';
import { startRouterBeside, stopRoutersBeside } from './harness/router-beside.js';
import { claimsOf, sessionIdOf, sessionsOf, type Tokens } from './harness/sessions.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { eventually } from './harness/wait.js';

const query = `subscription ($skus: [String!]) { stockChanged(skus: $skus) { available } }`;

describe('streams of a session', () => {
  let system: TestSystem;
  let vendor: Person;
  let sku: string;
  let calls: ReturnType<typeof sessionsOf>;
  beforeAll(async () => {
    system = await startSystem();
    calls = sessionsOf(system);
    vendor = await registerPerson(system, 'VENDOR');
    ({ sku } = await openShop(system, vendor, [10]));
  });
  const clients: LiveClient[] = [];
  const kept = <C extends LiveClient>(client: C): C => {
    clients.push(client);
    return client;
  };
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await stopRoutersBeside();
  });
  afterAll(() => system.stop());

  const watch = async (client: LiveClient) => {
    const watched = client.subscribe(query, { skus: [sku] });
    await eventually(
      async () => watched.seen.length,
      (count) => count > 0,
    );
    return watched;
  };
  type Watched = Awaited<ReturnType<typeof watch>>;
  const codesOf = ({ seen, ended }: Watched) => {
    const end = ended() as { errors?: Answer['errors'] } | Answer['errors'] | null;
    const atEnd = Array.isArray(end) ? end : ((end as { errors?: Answer['errors'] })?.errors ?? []);
    return [...seen.flatMap(({ errors = [] }) => errors), ...atEnd].map(
      ({ extensions }) => extensions?.code,
    );
  };
  const endsUnauthenticated = (watched: Watched) =>
    eventually(
      async () => codesOf(watched),
      (codes) => codes.includes('UNAUTHENTICATED'),
    );
  const loggedIn = async () => {
    const { email, tokens } = await calls.register();
    return { email, tokens, again: () => calls.login(email, 'secret-1') as Promise<Tokens> };
  };

  it.each(Object.keys(liveClients))(
    'over %s end with UNAUTHENTICATED at logout, and those of another session stay',
    async (name) => {
      const { tokens, again } = await loggedIn();
      const other = await again();
      const open = (token?: string) => kept(liveClients[name]?.(system.url, token) as LiveClient);
      const ended = await watch(open(tokens.accessToken));
      const stay = await Promise.all([watch(open(other.accessToken)), watch(open())]);
      await calls.logout(tokens.accessToken);
      await endsUnauthenticated(ended);
      expect(stay.flatMap(codesOf)).toEqual([]);
      expect(stay.map((each) => each.ended())).toEqual([null, null]);
      for (const each of stay) each.stop();
    },
  );

  it('over a WebSocket end with the connection, also of one without a stream', async () => {
    const { tokens } = await loggedIn();
    const codes: number[] = [];
    const connect = () => {
      const options = { lazy: false, onNonLazyError: () => {} };
      const client = kept(overWebSocket(system.url, tokens.accessToken, options));
      client.client.on('closed', (event) => codes.push((event as { code: number }).code));
      return client;
    };
    const [streaming, idle] = [connect(), connect()];
    const watched = await watch(streaming);
    const me = idle.subscribe('{ me { id } }');
    await eventually(async () => me.ended(), Boolean);
    await calls.logout(tokens.accessToken, true);
    await endsUnauthenticated(watched);
    await eventually(
      async () => codes,
      (all) => all.length === 2,
    );
    expect(codes).toEqual([4403, 4403]);
  });

  it('end when another session of the user ends theirs, and by no other user', async () => {
    const { tokens, again } = await loggedIn();
    const [here, stranger] = [await again(), (await loggedIn()).tokens];
    const ended = await watch(kept(overWebSocket(system.url, tokens.accessToken)));
    const stays = await watch(kept(overWebSocket(system.url, here.accessToken)));
    await calls.end(stranger.accessToken, sessionIdOf(here.accessToken));
    await calls.end(here.accessToken, sessionIdOf(tokens.accessToken));
    await endsUnauthenticated(ended);
    expect(stays.ended()).toBe(null);
    expect(codesOf(stays)).toEqual([]);
  });

  it('end when the password is changed elsewhere', async () => {
    const { tokens, again } = await loggedIn();
    const here = await again();
    const open = (token: string) => kept(overWebSocket(system.url, token));
    const elsewhere = await watch(open(tokens.accessToken));
    const stays = await watch(open(here.accessToken));
    await calls.changePassword(here.accessToken, 'secret-1', 'secret-2');
    await endsUnauthenticated(elsewhere);
    expect(stays.ended()).toBe(null);
  });

  it('cannot be opened again with a token of the ended session', async () => {
    const { tokens } = await loggedIn();
    const client = kept(overWebSocket(system.url, tokens.accessToken));
    const watched = await watch(client);
    await calls.logout(tokens.accessToken);
    await endsUnauthenticated(watched);
    const again = kept(overWebSocket(system.url, tokens.accessToken));
    const refused = again.subscribe(query, { skus: [sku] });
    const end = await eventually(async () => refused.ended(), Boolean);
    expect(end).toMatchObject({ code: 4403, reason: 'The session has ended. Log in again.' });
    const overSse = await fetch(system.url, {
      method: 'POST',
      headers: {
        accept: 'text/event-stream',
        'content-type': 'application/json',
        authorization: `Bearer ${tokens.accessToken}`,
      },
      body: JSON.stringify({ query, variables: { skus: [sku] } }),
    });
    expect(overSse.status).toBe(401);
    await overSse.text();
  });

  it('end when its user gets another role, and are opened at once with a new token', async () => {
    const { tokens } = await loggedIn();
    const admin = await logIn(system, 'ada');
    const userId = claimsOf(tokens.accessToken).sub;
    const former = await watch(kept(overWebSocket(system.url, tokens.accessToken)));
    await system.graphql(
      'mutation ($input: SetRoleInput!) { setRole(input: $input) { role } }',
      { input: { userId, role: 'VENDOR' } },
      admin.token,
    );
    await endsUnauthenticated(former);
    const refused = kept(overWebSocket(system.url, tokens.accessToken)).subscribe(query, {
      skus: [sku],
    });
    expect(await eventually(async () => refused.ended(), Boolean)).toMatchObject({ code: 4403 });
    const { accessToken } = await calls.refresh(tokens.refreshToken);
    const present = await watch(kept(overWebSocket(system.url, accessToken)));
    expect(present.ended()).toBe(null);
  });

  it('stay open while Redis is away, and malformed messages end none', async () => {
    const watched = await watch(
      kept(overWebSocket(system.url, (await loggedIn()).tokens.accessToken)),
    );
    const redis = new Redis(system.redis.url);
    await redis.publish(sessionEndedChannel, 'not,a,session');
    redis.disconnect();
    await system.redis.kill();
    await system.redis.restart();
    const { tokens } = await loggedIn();
    const later = await watch(kept(overWebSocket(system.url, tokens.accessToken)));
    // The first messages after a restart may be lost.
    await eventually(
      async () => {
        await publish(tokens);
        return codesOf(later);
      },
      (codes) => codes.includes('UNAUTHENTICATED'),
    );
    expect(watched.ended()).toBe(null);
  });

  it('are served by a router without the Redis of events', async () => {
    const router = await startRouterBeside(system, { EVENTS_REDIS_URL: '' });
    const { tokens } = await loggedIn();
    const beside = await watch(kept(overWebSocket(router.graphqlUrl, tokens.accessToken)));
    const here = await watch(kept(overWebSocket(system.url, tokens.accessToken)));
    await calls.logout(tokens.accessToken);
    await endsUnauthenticated(here);
    expect(beside.ended()).toBe(null);
    expect(await gauge(router.opsUrl, 'holdfast_subscriptions_open')).toBe(1);
  });

  async function publish({ accessToken }: Tokens) {
    const redis = new Redis(system.redis.url);
    const message = { sessionIds: [sessionIdOf(accessToken)], change: { kind: 'ended' } } as const;
    await redis.publish(sessionEndedChannel, sessionsMessage(message));
    redis.disconnect();
  }
});
