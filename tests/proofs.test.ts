import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { logIn } from './harness/people.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { eventually, someoneWaits } from './harness/wait.js';

const sessionFields = `__typename
  ... on Session { accessToken refreshToken
    user { id name email phone role emailVerified phoneVerified } }
  ... on Refusal { message }`;

describe('proof of an identity', () => {
  let system: TestSystem;
  let database: pg.Client;
  beforeAll(async () => {
    system = await startSystem();
    database = new pg.Client({ connectionString: system.databases.user });
    await database.connect();
  });
  afterAll(async () => {
    await database.end();
    await system.stop();
  });

  let phones = 1000;
  const newPhone = () => `+1202555${phones++}`;
  const newEmail = () => `${randomUUID()}@example.com`;
  const codeOf = (reply: { errors?: ReadonlyArray<{ extensions: { code: string } }> }) =>
    reply.errors?.[0]?.extensions.code;

  async function requestPhoneCode(phone: string): Promise<string> {
    const { data, errors } = await system.graphql(
      'mutation ($input: RequestOtpInput!) { requestOtp(input: $input) { id expiresAt } }',
      { input: { phone } },
    );
    if (errors) throw new Error(JSON.stringify(errors));
    return data.requestOtp.id;
  }
  async function requestEmailCode(email: string): Promise<string> {
    const { data, errors } = await system.graphql(
      'mutation ($email: String!) { requestEmailProof(email: $email) { id expiresAt } }',
      { email },
    );
    if (errors) throw new Error(JSON.stringify(errors));
    return data.requestEmailProof.id;
  }
  const send = (name: 'verifyOtp' | 'proveEmail', input: object, token?: string) =>
    system.graphql(
      `mutation ($input: VerifyOtpInput!) { ${name}(input: $input) { ${sessionFields} } }`,
      { input },
      token,
    );
  const sessionOf = async (reply: ReturnType<typeof send>) => {
    const { data, errors } = await reply;
    if (errors) throw new Error(JSON.stringify(errors));
    return Object.values(data)[0] as {
      __typename: string;
      accessToken: string;
      refreshToken: string;
      user: { id: string } & Record<string, unknown>;
    };
  };
  async function logInByPhone(phone: string, more: object = {}) {
    const challengeId = await requestPhoneCode(phone);
    return sessionOf(
      send('verifyOtp', { challengeId, code: system.messages.codeFor(phone), ...more }),
    );
  }
  async function logInByEmail(email: string, more: object = {}, token?: string) {
    const challengeId = await requestEmailCode(email);
    const input = { challengeId, code: system.messages.codeFor(email), ...more };
    return sessionOf(send('proveEmail', input, token));
  }
  async function registered(email: string, password = 'secret-1') {
    const input = { name: 'Claimer', email, password };
    return sessionOf(
      system.graphql(
        `mutation ($input: RegisterInput!) { register(input: $input) { ${sessionFields} } }`,
        { input },
      ),
    );
  }
  const logsIn = async (identifier: string, password: string) => {
    const { data } = await system.graphql(
      `mutation ($input: LoginInput!) { login(input: $input) { __typename } }`,
      { input: { identifier, password } },
    );
    return data.login.__typename === 'Session';
  };
  const refreshes = async (refreshToken: string) => {
    const { data } = await system.graphql(
      'mutation ($token: String!) { refreshSession(refreshToken: $token) { __typename } }',
      { token: refreshToken },
    );
    return data.refreshSession.__typename === 'Session';
  };

  it('registers by phone with a code, and logs in with the next code', async () => {
    const phone = newPhone();
    const first = await logInByPhone('+1 (202) 555-0199', { name: 'Nina', role: 'VENDOR' }).catch(
      (error: Error) => error.message,
    );
    expect(first).toContain('no code was sent to'); // it was sent to the number in E.164
    const session = await logInByPhone(phone, { name: 'Nina', role: 'VENDOR' });
    const nina = { name: 'Nina', email: null, phone, role: 'VENDOR' };
    expect(session.user).toMatchObject({ ...nina, emailVerified: false, phoneVerified: true });
    expect((await logInByPhone(phone)).user.id).toBe(session.user.id);
  });

  it('lets a proven phone log in with a password too, in any notation', async () => {
    const phone = newPhone();
    await logInByPhone(phone, { name: 'Nina', newPassword: 'secret-2' });
    const spaced = `${phone.slice(0, 2)} (${phone.slice(2, 5)}) ${phone.slice(5, 8)}-${phone.slice(8)}`;
    expect(await logsIn(spaced, 'secret-2')).toBe(true);
    expect(await logsIn(phone, 'secret-3')).toBe(false);
  });

  it('needs a name for a new account, and keeps the code valid when it is missing', async () => {
    const phone = newPhone();
    const challengeId = await requestPhoneCode(phone);
    const code = system.messages.codeFor(phone);
    const nameless = await send('verifyOtp', { challengeId, code });
    expect(codeOf(nameless)).toBe('BAD_USER_INPUT');
    expect(nameless.errors?.[0]?.extensions.fields).toHaveProperty(['input.name']);
    const session = await sessionOf(send('verifyOtp', { challengeId, code, name: 'Nina' }));
    expect(session.__typename).toBe('Session');
  });

  it('accepts a code once, with its own challenge, and until the next code is requested', async () => {
    const phone = newPhone();
    const first = await requestPhoneCode(phone);
    const firstCode = system.messages.codeFor(phone);
    const second = await requestPhoneCode(phone);
    const secondCode = system.messages.codeFor(phone);
    const name = 'Nina';
    const attempt = async (challengeId: string, code: string) =>
      (await sessionOf(send('verifyOtp', { challengeId, code, name }))).__typename;
    expect(await attempt(first, firstCode)).toBe('InvalidCredentials');
    expect(await attempt(first, secondCode)).toBe('InvalidCredentials');
    expect(await attempt(randomUUID(), secondCode)).toBe('InvalidCredentials');
    expect(await attempt(second, secondCode)).toBe('Session');
    expect(await attempt(second, secondCode)).toBe('InvalidCredentials');
  });

  it('logs in once with a code that is used many times at once', async () => {
    const phone = newPhone();
    const challengeId = await requestPhoneCode(phone);
    const input = { challengeId, code: system.messages.codeFor(phone), name: 'Nina' };
    const replies = await Promise.all(
      Array.from({ length: 8 }, () => sessionOf(send('verifyOtp', input))),
    );
    expect(replies.filter(({ __typename }) => __typename === 'Session')).toHaveLength(1);
  });

  it('sends one message for each key, whose repeats get the same challenge while the code is valid', async () => {
    const phone = newPhone();
    const request = async (idempotencyKey: string) => {
      const { data } = await system.graphql(
        'mutation ($input: RequestOtpInput!) { requestOtp(input: $input) { id expiresAt } }',
        { input: { phone, idempotencyKey } },
      );
      return data.requestOtp as { id: string; expiresAt: string };
    };
    const key = randomUUID();
    const first = await request(key);
    expect(await request(key)).toEqual(first);
    expect(await request(randomUUID())).not.toEqual(first);
    expect(system.messages.sent.filter(({ to }) => to === phone)).toHaveLength(2);
  });

  it('refuses the right code after five wrong ones, and sends no other', async () => {
    const phone = newPhone();
    const challengeId = await requestPhoneCode(phone);
    const code = system.messages.codeFor(phone);
    const wrong = Array.from({ length: 60 }, (_, n) => String(n).padStart(6, '0'));
    const guesses = wrong.filter((guess) => guess !== code).slice(0, 50);
    const replies = await Promise.all(
      guesses.map((guess) => sessionOf(send('verifyOtp', { challengeId, code: guess }))),
    );
    expect(new Set(replies.map(({ __typename }) => __typename))).toEqual(
      new Set(['InvalidCredentials']),
    );
    const right = await sessionOf(send('verifyOtp', { challengeId, code, name: 'Nina' }));
    expect(right.__typename).toBe('InvalidCredentials');
    const sentBefore = system.messages.sent.length;
    const { errors } = await system.graphql(
      'mutation ($input: RequestOtpInput!) { requestOtp(input: $input) { id } }',
      { input: { phone } },
    );
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'RATE_LIMITED' });
    expect(errors?.[0]?.extensions.retryAfterMs).toBeGreaterThan(0);
    expect(system.messages.sent).toHaveLength(sentBefore);
  });

  it('refuses a sixth code within 15 minutes, whether or not the account exists', async () => {
    const email = newEmail();
    await registered(email);
    for (const each of [email, newEmail()]) {
      for (let n = 0; n < 5; n++) await requestEmailCode(each);
      await expect(requestEmailCode(each)).rejects.toThrow('RATE_LIMITED');
    }
  });

  it('does not show whether an account exists, when a code is requested or guessed', async () => {
    const email = newEmail();
    await logInByEmail(email, { name: 'Known' });
    const answers = [];
    for (const each of [email, newEmail()]) {
      const challengeId = await requestEmailCode(each);
      const code = system.messages.codeFor(each) === '000000' ? '000001' : '000000';
      const { data, errors } = await send('proveEmail', { challengeId, code });
      answers.push({ data, errors });
    }
    expect(answers[0]).toEqual(answers[1]);
  });

  it('verifies the account’s e-mail address, and resets a forgotten password with it', async () => {
    const email = newEmail();
    const session = await registered(email, 'secret-1');
    expect(session.user.emailVerified).toBe(false);
    const proven = await logInByEmail(email, {}, session.accessToken);
    expect(proven.user).toMatchObject({ id: session.user.id, emailVerified: true });
    expect(await refreshes(session.refreshToken)).toBe(true);
    const reset = await logInByEmail(email.toUpperCase(), { newPassword: 'secret-2' });
    expect(reset.user.id).toBe(session.user.id);
    expect(await refreshes(proven.refreshToken)).toBe(false);
    expect(await refreshes(reset.refreshToken)).toBe(true);
    expect([await logsIn(email, 'secret-1'), await logsIn(email, 'secret-2')]).toEqual([
      false,
      true,
    ]);
  });

  it('takes an e-mail address from an account that had only claimed it', async () => {
    const email = newEmail();
    const claimer = await registered(email, 'secret-1');
    const owner = await logInByEmail(email, { name: 'Owner' });
    expect(owner.user).toMatchObject({ name: 'Owner', email, emailVerified: true });
    expect(owner.user.id).not.toBe(claimer.user.id);
    expect(await refreshes(claimer.refreshToken)).toBe(false);
    expect(await logsIn(email, 'secret-1')).toBe(false);
    const { data } = await system.graphql('{ me { id email } }', {}, claimer.accessToken);
    expect(data.me).toEqual({ id: claimer.user.id, email: null });
  });

  it('logs in to the account that has proven the address before', async () => {
    const email = newEmail();
    const owner = await logInByEmail(email, { name: 'Owner' });
    const other = await registered(newEmail());
    const again = await logInByEmail(email, { name: 'Another' }, other.accessToken);
    expect(again.user).toMatchObject({ id: owner.user.id, name: 'Owner' });
  });

  it('adds an e-mail address to an account with a phone, also one that another account claimed', async () => {
    const email = newEmail();
    const claimer = await registered(email);
    const phone = newPhone();
    const session = await logInByPhone(phone, { name: 'Nina' });
    const withEmail = await logInByEmail(email, {}, session.accessToken);
    expect(withEmail.user).toMatchObject({ id: session.user.id, phone, email });
    expect(await refreshes(claimer.refreshToken)).toBe(false);
  });

  it('is refused in a session that has ended', async () => {
    const session = await registered(newEmail());
    await system.graphql('mutation { logout(everywhere: true) }', {}, session.accessToken);
    const email = newEmail();
    await expect(logInByEmail(email, {}, session.accessToken)).rejects.toThrow('UNAUTHENTICATED');
    const phone = newPhone();
    const reply = await addPhone(phone, session.accessToken);
    expect(codeOf(reply)).toBe('UNAUTHENTICATED');
  });

  async function addPhone(phone: string, token: string) {
    const challengeId = await requestPhoneCode(phone);
    const input = { challengeId, code: system.messages.codeFor(phone) };
    return system.graphql(
      'mutation ($input: AddPhoneInput!) { addPhone(input: $input) { id phone phoneVerified } }',
      { input },
      token,
    );
  }

  it('adds a phone to the account, unless another account has it', async () => {
    const session = await registered(newEmail());
    const phone = newPhone();
    const { data } = await addPhone(phone, session.accessToken);
    expect(data.addPhone).toEqual({ id: session.user.id, phone, phoneVerified: true });
    const other = await registered(newEmail());
    expect(codeOf(await addPhone(phone, other.accessToken))).toBe('CONFLICT');
  });

  it('refuses a login in progress when its address is taken meanwhile', async () => {
    const email = newEmail();
    await registered(email, 'secret-1');
    await database.query('begin');
    await database.query('update user_account set email = null where email = $1', [email]);
    const late = logsIn(email, 'secret-1');
    await someoneWaits(database);
    await database.query('commit');
    expect(await late).toBe(false);
  });

  it('refuses an address that only looks like another', async () => {
    const tail = `${randomUUID()}@example.com`;
    const owner = await logInByEmail(`vi${tail}`, { name: 'Owner', newPassword: 'secret-7' });
    for (const alike of [`vİ${tail}`, `ｖi${tail}`, `vi${tail.replace('e', 'е')}`]) {
      await expect(requestEmailCode(alike)).rejects.toThrow('must be an e-mail address');
      expect(await logsIn(alike, 'secret-7')).toBe(false);
      await expect(registered(alike)).rejects.toThrow('must be an e-mail address');
    }
    expect((await logInByEmail(`VI${tail.toUpperCase()}`)).user.id).toBe(owner.user.id);
  });

  it('does not count codes that could not be sent', async () => {
    const phone = newPhone();
    for (let n = 0; n < 6; n++) {
      system.messages.gatewayFaults.push({ status: 500 }, { status: 500 }, { status: 500 });
      await expect(requestPhoneCode(phone)).rejects.toThrow('TRY_AGAIN');
    }
    expect((await logInByPhone(phone, { name: 'Nina' })).user.phone).toBe(phone);
  });

  it('notifies the previous contact of a new way to log in', async () => {
    const phone = newPhone();
    const session = await logInByPhone(phone, { name: 'Nina' });
    await logInByEmail(newEmail(), {}, session.accessToken);
    await eventually(
      async () => system.messages.sent.filter(({ to }) => to === phone).at(-1)?.text,
      (text) => /new e-mail address was added/.test(text ?? ''),
    );
  });

  it('answers TRY_AGAIN while Redis is down, and works again afterwards', async () => {
    const ana = await logIn(system, 'ana');
    await system.redis.kill();
    const { errors } = await system.graphql(
      'mutation { requestEmailProof(email: "a@example.com") { id } }',
    );
    expect(errors?.[0]?.extensions.code).toBe('TRY_AGAIN');
    expect(ana.token).toBeDefined();
    await system.redis.restart();
    const email = newEmail();
    for (let attempt = 0; ; attempt++) {
      const session = await logInByEmail(email, { name: 'Later' }).catch((error: Error) => error);
      if (!(session instanceof Error)) break;
      if (attempt === 50) throw session;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  });
});
