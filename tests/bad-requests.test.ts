import { jest } from '@jest/globals';
import { demoPassword } from '../dev/seed/demo-store.js';
import { badBodies, badQueries } from './bad-requests/bodies.js';
import { badArguments, hostileTexts, textPaths, withValue } from './bad-requests/inputs.js';
import { createSender, isInternal, type TestReply } from './bad-requests/send.js';
import { badTokens } from './bad-requests/tokens.js';
import { contentsOf, stableContents } from './rights/contents.js';
import { api, publicRules, splitName } from './rights/graph.js';
import { type Arguments, samples } from './rights/samples.js';
import { createWorld, type World } from './rights/world.js';

const operations = [...publicRules.keys()].filter((name) => /^(Query|Mutation)\./.test(name));
const requestsMin = 1500;

describe('a bad request', () => {
  let world: World;
  let send: ReturnType<typeof createSender>;
  let before: Awaited<ReturnType<typeof contentsOf>>;
  const good = new Map<string, Arguments>();
  const lines: string[] = [];

  beforeAll(async () => {
    jest.spyOn(process.stdout, 'write').mockImplementation((line) => {
      lines.push(...String(line).split('\n').filter(Boolean));
      return true;
    });
    world = await createWorld({ LOG_LEVEL: 'debug' });
    send = createSender(world.system.url);
    for (const name of operations) good.set(name, (await samples[name]?.(world)) ?? {});
    before = await stableContents(world.system.databases);
  });
  afterAll(async () => {
    await world.stop();
    jest.restoreAllMocks();
  });

  /** Whether the reply is anything else than an error of the client, without data. */
  const isNotRefused = ({ status, data, errors, text }: TestReply) => {
    if (text !== undefined) return status !== 431; // the headers are too large for Node
    const hasData = Object.values(data ?? {}).some((value) => value !== null);
    return status >= 500 || hasData || !errors?.length || errors.some(isInternal);
  };

  it.each(operations)('to %s with an invalid token is refused', async (name) => {
    const tokens = await badTokens(world.people.admin.token, world.system.secrets.signingKeys);
    const replies = await send.all(
      [...tokens].map(([title, token]) => ({
        title,
        ...send.requestFor(name, good.get(name) as Arguments),
        token,
      })),
    );
    const wrong = replies.filter(
      (reply) => isNotRefused(reply) || reply.status !== 401 || codeOf(reply) !== 'UNAUTHENTICATED',
    );
    expect(wrong).toEqual([]);
  });

  it.each(operations)('to %s with invalid arguments is refused', async (name) => {
    const [type, field] = splitName(name);
    const token = world.people.admin.token;
    const replies = await send.all(
      [...badArguments(api, type, field, good.get(name) as Arguments)].map(({ title, args }) => ({
        title,
        ...send.requestFor(name, args),
        token,
      })),
    );
    const wrong = replies.filter((reply) => isNotRefused(reply) || reply.status === 401);
    expect(wrong).toEqual([]);
  });

  it('with an invalid query is refused, by POST and by GET', async () => {
    const token = world.people.admin.token;
    const replies = await send.all([
      ...[...badQueries].map(([title, query]) => ({ title, query, variables: {}, token })),
      ...[...badQueries].map(([title, query]) => ({
        title: `${title}, by GET`,
        query: query.slice(0, 8000),
        variables: {},
        token,
        byGet: true,
      })),
    ]);
    expect(replies.filter(isNotRefused)).toEqual([]);
  });

  it('with a mutation by GET is refused', async () => {
    const replies = await send.all(
      operations
        .filter((name) => name.startsWith('Mutation.'))
        .map((name) => ({
          title: name,
          ...send.requestFor(name, good.get(name) as Arguments),
          token: world.people.admin.token,
          byGet: true,
        })),
    );
    expect(replies.filter(isNotRefused)).toEqual([]);
  });

  it.each([
    'application/json',
    'application/graphql-response+json',
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
  ])('with an invalid body as %s is refused', async (type) => {
    const replies = await send.bodies(badBodies, type);
    const wrong = ({ status, errors }: TestReply) =>
      status >= 500 || status < 400 || errors?.some(isInternal);
    expect(replies.filter(wrong)).toEqual([]);
  });

  it('that guesses one-time codes, concurrently or with aliases, never succeeds', async () => {
    const { challengeId, code } = await world.proof();
    const guesses = Array.from({ length: 150 }, (_, n) => String(n).padStart(6, '0'));
    const wrong = guesses.filter((guess) => guess !== code);
    const verify = (guess: string) =>
      `verifyOtp(input: { challengeId: "${challengeId}", code: "${guess}", name: "Eve" }) { __typename }`;
    const batches = Array.from({ length: 7 }, (_, n) => wrong.slice(60 + n * 12, 72 + n * 12));
    const replies = await send.all([
      ...wrong
        .slice(0, 50)
        .map((guess) => ({ title: guess, query: `mutation { ${verify(guess)} }` })),
      ...batches.map((batch, at) => ({
        title: `batch ${at}`,
        query: `mutation { ${batch.map((guess, n) => `a${n}: ${verify(guess)}`).join(' ')} }`,
      })),
      { title: 'the correct code', query: `mutation { ${verify(code)} }` },
    ]);
    const names = replies.flatMap(({ data }) =>
      Object.values(data ?? {}).map((each) => (each as { __typename: string }).__typename),
    );
    expect(new Set(names)).toEqual(new Set(['InvalidCredentials']));
    expect(names).toHaveLength(50 + 84 + 1);
  });

  it('that sends a refresh token 50 times concurrently gets one successor, and ends the session after its use', async () => {
    const { data } = await world.system.graphql(
      `mutation { login(input: { identifier: "ben@example.com", password: "${demoPassword}" }) {
         ... on Session { refreshToken } } }`,
    );
    const query =
      'mutation ($token: String!) { refreshSession(refreshToken: $token) { __typename ... on Session { refreshToken } } }';
    const use = async (token: string, times: number) => {
      const replies = await send.all(
        Array.from({ length: times }, () => ({ title: 'replay', query, variables: { token } })),
      );
      return replies.map(
        (reply) =>
          (reply.data as never as { refreshSession: { refreshToken?: string } }).refreshSession
            .refreshToken,
      );
    };
    const first = data.login.refreshToken;
    const successors = new Set(await use(first, 50));
    expect(successors.size).toBe(1);
    const [second] = [...successors] as [string];
    const [third] = (await use(second, 1)) as [string];
    expect(third).toEqual(expect.any(String));
    for (const token of [first, second, third]) expect(await use(token, 1)).toEqual([undefined]);
  });

  it('was sent often enough', () => {
    expect(send.count()).toBeGreaterThanOrEqual(requestsMin);
  });

  it('does not change any data', async () => {
    const after = await contentsOf(world.system.databases);
    const sessions = ['user.login_session', 'user.refresh_token'];
    const without = (contents: object) =>
      Object.entries(contents).filter(([name]) => !sessions.includes(name));
    expect(without(after)).toEqual(without(before));
  });

  it.each(operations)('to %s with hostile text stores it as text, or is refused', async (name) => {
    const args = good.get(name) as Arguments;
    const requests = [...textPaths(args)].flatMap((path) =>
      hostileTexts.map((text) => ({
        title: `${path.join('.')} = ${text.slice(0, 40)}`,
        ...send.requestFor(name, withValue(args, path, text)),
        token: world.people.admin.token,
      })),
    );
    const replies = await send.all(requests);
    expect(
      replies.filter(({ status, errors }) => status >= 500 || errors?.some(isInternal)),
    ).toEqual([]);
  });

  it('breaks no invariants, and drops no tables', async () => {
    await world.system.expectInvariants();
    const after = await contentsOf(world.system.databases);
    expect(Object.keys(after)).toEqual(Object.keys(before));
  });

  it('adds no secrets and no forged lines to the logs', () => {
    const { people, system } = world;
    const secrets = [
      demoPassword,
      'secret-1',
      '@example.com',
      '+1202555',
      ...Object.values(people).flatMap(({ token }) => token.split('.').slice(1)),
      ...system.messages.sent.map(({ to }) => system.messages.codeFor(to)),
      ...Object.values(system.secrets.callers),
      system.secrets.otpSecret,
    ];
    expect(lines.length).toBeGreaterThan(requestsMin);
    const names = new Set(['router', 'user', 'product', 'shop', 'warehouse', 'order']);
    for (const line of lines) {
      expect(names).toContain(JSON.parse(line).name);
      const found = secrets.find((secret) => isIn(line, secret));
      if (found) throw new Error(`${found} is in the log: ${line}`);
    }
  });
});

/** A one-time code counts as a whole word only: request ids are random and may contain its digits. */
const isIn = (line: string, secret: string) =>
  /^\d+$/.test(secret) ? line.match(/\w+/g)?.includes(secret) : line.includes(secret);

const codeOf = ({ errors }: TestReply) => errors?.[0]?.extensions?.code;
