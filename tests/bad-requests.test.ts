import { jest } from '@jest/globals';
import { demoPassword } from '../dev/seed/demo-store.js';
import { badBodies, badQueries } from './bad-requests/bodies.js';
import { badArguments, hostileTexts, textPaths, withValue } from './bad-requests/inputs.js';
import { type Asked, createAsker, isInternal } from './bad-requests/send.js';
import { badTokens } from './bad-requests/tokens.js';
import { contentsOf, settledContents } from './rights/contents.js';
import { api, publicRules, splitName } from './rights/graph.js';
import { type Arguments, samples } from './rights/samples.js';
import { createWorld, type World } from './rights/world.js';

const operations = [...publicRules.keys()].filter((name) => /^(Query|Mutation)\./.test(name));
const requestsMin = 1500;

describe('a bad request', () => {
  let world: World;
  let ask: ReturnType<typeof createAsker>;
  let before: Awaited<ReturnType<typeof contentsOf>>;
  const good = new Map<string, Arguments>();
  const lines: string[] = [];

  beforeAll(async () => {
    jest.spyOn(process.stdout, 'write').mockImplementation((line) => {
      lines.push(...String(line).split('\n').filter(Boolean));
      return true;
    });
    world = await createWorld({ LOG_LEVEL: 'debug' });
    ask = createAsker(world.system.url);
    for (const name of operations) good.set(name, (await samples[name]?.(world)) ?? {});
    before = await settledContents(world.system.databases);
  });
  afterAll(async () => {
    await world.stop();
    jest.restoreAllMocks();
  });

  /** Nothing came of it: an error that says why, none of ours, and no data. */
  const gotThrough = ({ status, data, errors, text }: Asked) => {
    if (text !== undefined) return status !== 431; // Node’s own: a head that is too large
    const given = Object.values(data ?? {}).some((value) => value !== null);
    return status >= 500 || given || !errors?.length || errors.some(isInternal);
  };

  it.each(operations)('%s is not done with a token that is not good', async (name) => {
    const tokens = await badTokens(world.people.admin.token, world.system.secrets.signingKeys);
    const replies = await ask.all(
      [...tokens].map(([title, token]) => ({
        title,
        ...ask.question(name, good.get(name) as Arguments),
        token,
      })),
    );
    const wrong = replies.filter(
      (reply) => gotThrough(reply) || reply.status !== 401 || codeOf(reply) !== 'UNAUTHENTICATED',
    );
    expect(wrong).toEqual([]);
  });

  it.each(operations)('%s is not done with arguments that are not good', async (name) => {
    const [type, field] = splitName(name);
    const token = world.people.admin.token;
    const replies = await ask.all(
      [...badArguments(api, type, field, good.get(name) as Arguments)].map(({ title, args }) => ({
        title,
        ...ask.question(name, args),
        token,
      })),
    );
    const wrong = replies.filter((reply) => gotThrough(reply) || reply.status === 401);
    expect(wrong).toEqual([]);
  });

  it('is no query: by POST and by GET', async () => {
    const token = world.people.admin.token;
    const replies = await ask.all([
      ...[...badQueries].map(([title, query]) => ({ title, query, variables: {}, token })),
      ...[...badQueries].map(([title, query]) => ({
        title: `${title}, by GET`,
        query: query.slice(0, 8000),
        variables: {},
        token,
        byGet: true,
      })),
    ]);
    expect(replies.filter(gotThrough)).toEqual([]);
  });

  it('is no mutation by GET', async () => {
    const replies = await ask.all(
      operations
        .filter((name) => name.startsWith('Mutation.'))
        .map((name) => ({
          title: name,
          ...ask.question(name, good.get(name) as Arguments),
          token: world.people.admin.token,
          byGet: true,
        })),
    );
    expect(replies.filter(gotThrough)).toEqual([]);
  });

  it.each([
    'application/json',
    'application/graphql-response+json',
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
  ])('is no body, as %s', async (type) => {
    const replies = await ask.bodies(badBodies, type);
    const wrong = ({ status, errors }: Asked) =>
      status >= 500 || status < 400 || errors?.some(isInternal);
    expect(replies.filter(wrong)).toEqual([]);
  });

  it('guesses codes fifty at once and through aliases, and passwords too', async () => {
    const { challengeId, code } = await world.proof();
    const guesses = Array.from({ length: 150 }, (_, n) => String(n).padStart(6, '0'));
    const wrong = guesses.filter((guess) => guess !== code);
    const verify = (guess: string) =>
      `verifyOtp(input: { challengeId: "${challengeId}", code: "${guess}", name: "Eve" }) { __typename }`;
    const batches = Array.from({ length: 7 }, (_, n) => wrong.slice(60 + n * 12, 72 + n * 12));
    const replies = await ask.all([
      ...wrong
        .slice(0, 50)
        .map((guess) => ({ title: guess, query: `mutation { ${verify(guess)} }` })),
      ...batches.map((batch, at) => ({
        title: `batch ${at}`,
        query: `mutation { ${batch.map((guess, n) => `a${n}: ${verify(guess)}`).join(' ')} }`,
      })),
      { title: 'the right one', query: `mutation { ${verify(code)} }` },
    ]);
    const names = replies.flatMap(({ data }) =>
      Object.values(data ?? {}).map((each) => (each as { __typename: string }).__typename),
    );
    expect(new Set(names)).toEqual(new Set(['InvalidCredentials']));
    expect(names).toHaveLength(50 + 84 + 1);
  });

  it('is one of 50 that use one refresh token at once: one is served, and nobody after it', async () => {
    const { data } = await world.system.graphql(
      `mutation { login(input: { identifier: "ben@example.com", password: "${demoPassword}" }) {
         ... on Session { refreshToken } } }`,
    );
    const query =
      'mutation ($token: String!) { refreshSession(refreshToken: $token) { __typename ... on Session { refreshToken } } }';
    const use = (token: string) => ({ title: 'replay', query, variables: { token } });
    const replies = await ask.all(Array.from({ length: 50 }, () => use(data.login.refreshToken)));
    const served = replies
      .map(
        (reply) =>
          (reply.data as never as { refreshSession: { refreshToken?: string } }).refreshSession
            .refreshToken,
      )
      .filter(Boolean);
    expect(served.length).toBeLessThanOrEqual(1);
    const after = await ask.all(served.map((token) => use(token as string)));
    for (const { data: late } of after) {
      expect(late).toEqual({ refreshSession: { __typename: 'InvalidCredentials' } });
    }
  });

  it('has asked often enough', () => {
    expect(ask.count()).toBeGreaterThanOrEqual(requestsMin);
  });

  it('leaves no trace in the data', async () => {
    const after = await contentsOf(world.system.databases);
    const sessions = ['user.login_session', 'user.refresh_token'];
    const without = (contents: object) =>
      Object.entries(contents).filter(([name]) => !sessions.includes(name));
    expect(without(after)).toEqual(without(before));
  });

  it.each(operations)('%s takes hostile text as text, or refuses it', async (name) => {
    const args = good.get(name) as Arguments;
    const questions = [...textPaths(args)].flatMap((path) =>
      hostileTexts.map((text) => ({
        title: `${path.join('.')} = ${text.slice(0, 40)}`,
        ...ask.question(name, withValue(args, path, text)),
        token: world.people.admin.token,
      })),
    );
    const replies = await ask.all(questions);
    expect(
      replies.filter(({ status, errors }) => status >= 500 || errors?.some(isInternal)),
    ).toEqual([]);
  });

  it('leaves the invariants whole, and every table where it was', async () => {
    await world.forgetRefund();
    await world.system.expectInvariants();
    const after = await contentsOf(world.system.databases);
    expect(Object.keys(after)).toEqual(Object.keys(before));
  });

  it('leaves nobody’s secrets in the logs, and no line that is not ours', () => {
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
      const found = secrets.find((secret) => line.includes(secret));
      if (found) throw new Error(`${found} stands in the log: ${line}`);
    }
  });
});

const codeOf = ({ errors }: Asked) => errors?.[0]?.extensions?.code;
