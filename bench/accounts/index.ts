import { randomUUID } from 'node:crypto';
import { Pool } from 'undici';
import { redisDatabase } from '../../dev/databases/redis.js';
import { freePort } from '../../dev/databases/server-process.js';
import { startProgram } from '../../dev/processes.js';
import { callerCredentials, callerHeader } from '../../subgraphs/shared/auth/callers.js';
import { migrate } from '../../subgraphs/shared/database/run-migrations.js';
import { hashPassword } from '../../subgraphs/user/credentials/password.js';
import { databaseSchema } from '../../subgraphs/user/mikro-orm.config.js';
import { openServers } from '../environment.js';
import { median, type Outcome, rounded } from '../report.js';

// Short rounds with all three cases: the speed of the machine varies, their ratio does not.
const clients = 50;
const seconds = Number(process.env.BENCH_SECONDS ?? 2);
const rounds = Number(process.env.BENCH_ROUNDS ?? 9);
const password = 'correct horse';
const shareMin = 0.8;
const loopDelayMaxMs = 50;

/**
 * Measures registrations and logins per second of one user process, compared with the rate of argon2 alone,
 * and the delay of its event loop during 50 concurrent logins.
 */
export async function run(progress: (line: string) => void): Promise<Outcome> {
  const { postgres, redis, databases } = await openServers();
  await migrate({ name: 'bench', url: databases.user, poolMax: 1 }, databaseSchema);
  const users = await startUsers(databases.user, redisDatabase(redis.url, 3));
  const measured = { argon2: [] as number[], register: [] as number[], login: [] as number[] };
  const loopDelaysMs: number[] = [];
  try {
    for (let round = 0; round < rounds; round++) {
      measured.argon2.push(await rateOf(() => hashPassword(password)));
      const emails: string[] = [];
      measured.register.push(
        await rateOf(async () => {
          const email = `${randomUUID()}@example.com`;
          await users.register(email);
          emails.push(email);
        }),
      );
      await users.loopDelayMs(); // resets the value
      let n = 0;
      measured.login.push(await rateOf(() => users.login(emails[n++ % emails.length] as string)));
      loopDelaysMs.push(await users.loopDelayMs());
      progress(`round ${round + 1} of ${rounds}`);
    }
  } finally {
    await users.stop();
    await Promise.all([postgres.stop(), redis.stop()]);
  }
  return outcomeOf(measured, loopDelaysMs);
}

function outcomeOf(
  { argon2, register, login }: Record<'argon2' | 'register' | 'login', number[]>,
  loopDelaysMs: number[],
): Outcome {
  const alone = median(argon2);
  const shareOf = (rates: number[]) =>
    rounded(median(rates.map((rate, n) => rate / (argon2[n] as number))), 2);
  const p99Ms = rounded(median(loopDelaysMs));
  const row = (name: string, rates: number[]) => ({
    case: name,
    ratePerSecond: rounded(median(rates)),
    rates: rates.map((rate) => rounded(rate)),
    shareOfArgon2: shareOf(rates),
  });
  const atLeast = (name: string, rates: number[]) => ({
    name: `${name}: share of the rate of argon2 alone (${rounded(alone)}/s)`,
    value: shareOf(rates),
    target: `≥ ${shareMin}`,
    pass: shareOf(rates) >= shareMin,
  });
  return {
    results: [row('argon2 alone', argon2), row('register', register), row('login', login)],
    checks: [
      atLeast('register', register),
      atLeast('login', login),
      {
        name: `event loop delay p99 during ${clients} concurrent logins, ms`,
        value: p99Ms,
        target: `< ${loopDelayMaxMs}`,
        pass: p99Ms < loopDelayMaxMs,
      },
    ],
  };
}

/** Executions of the work per second, by all clients concurrently. */
async function rateOf(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  const endMs = startedMs + seconds * 1000;
  let done = 0;
  const client = async () => {
    while (performance.now() < endMs) {
      await work();
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return done / ((performance.now() - startedMs) / 1000);
}

/** Starts the user subgraph as a process, and sends requests as the router does. */
async function startUsers(databaseUrl: string, redisUrl: string) {
  const [port, opsPort] = [await freePort(), await freePort()];
  const secret = 'the secret of the router';
  const env = {
    ...process.env,
    NODE_ENV: 'test',
    LOG_LEVEL: 'warn',
    PORT: `${port}`,
    OPS_PORT: `${opsPort}`,
    DATABASE_URL: databaseUrl,
    OTP_REDIS_URL: redisUrl,
    ROUTER_SECRET: secret,
  };
  const running = await startProgram('user', env, (line) => process.stderr.write(`${line}\n`));
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: clients });
  const send = async (query: string, input: object) => {
    const response = await pool.request({
      method: 'POST',
      path: '/graphql',
      headers: {
        'content-type': 'application/json',
        [callerHeader]: callerCredentials('router', secret),
      },
      body: JSON.stringify({ query, variables: { input } }),
    });
    const text = await response.body.text();
    if (!text.includes('accessToken')) throw new Error(text);
  };
  const session = '__typename ... on Session { accessToken refreshToken }';
  return {
    register: (email: string) =>
      send(`mutation ($input: RegisterInput!) { register(input: $input) { ${session} } }`, {
        name: 'Somebody',
        email,
        password,
      }),
    login: (identifier: string) =>
      send(`mutation ($input: LoginInput!) { login(input: $input) { ${session} } }`, {
        identifier,
        password,
      }),
    /** p99 since the last call, from the metrics of the process */
    async loopDelayMs(): Promise<number> {
      const metrics = await (await fetch(`http://127.0.0.1:${opsPort}/metrics`)).text();
      return Number(/^nodejs_eventloop_lag_p99_seconds\S* (\S+)$/m.exec(metrics)?.[1]) * 1000;
    },
    async stop() {
      await pool.close();
      await running.stop();
    },
  };
}
