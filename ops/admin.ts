import { randomBytes } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { address, loadConfig, requiredInProduction, setting } from '../subgraphs/shared/config.js';
import { connect, disconnect } from '../subgraphs/shared/database/connect.js';
import { DomainError } from '../subgraphs/shared/errors.js';
import { createLogger } from '../subgraphs/shared/observability/logger.js';
import { closeRedis, createRedis } from '../subgraphs/shared/runtime/redis.js';
import { findRefusedCharacter } from '../subgraphs/shared/text/refused-characters.js';
import { hasVisibleText } from '../subgraphs/shared/text/visible-text.js';
import { createAdmin } from '../subgraphs/user/account/create-admin.js';
import { parseEmail } from '../subgraphs/user/credentials/identifier.js';
import { hashPassword, refuseCommonPassword } from '../subgraphs/user/credentials/password.js';
import { databaseSchema } from '../subgraphs/user/mikro-orm.config.js';
import { publishEndedSessions } from '../subgraphs/user/session/session-signals.js';
import { readRunningSystem, stateFolder } from './running-system.js';

const usage = `admin create --email ADDRESS [--name NAME] [--password-stdin]

  Creates an admin. An account with this verified address is promoted, and keeps its password unless
  another is given on standard input. A new account gets a random password, which is printed once,
  unless one is given.`;

/** Invalid arguments; the message says what is wrong. */
class UsageError extends Error {}

const options = {
  email: { type: 'string' },
  name: { type: 'string', default: 'Admin' },
  'password-stdin': { type: 'boolean', default: false },
} as const;

/**
 * Creates an admin in the database of the user subgraph, and publishes the sessions that end with it.
 *
 * @param eventsRedisUrl empty: streams of these sessions end when their access tokens expire
 * @returns the text to print
 * @throws UsageError
 */
export async function runAdmin(
  args: string[],
  databaseUrl: string,
  eventsRedisUrl = '',
): Promise<string> {
  const { email, name, password } = await readArguments(args);
  const newPassword = password ?? randomBytes(12).toString('base64url');
  const orm = await connect({ name: 'admin', url: databaseUrl, poolMax: 1 }, databaseSchema);
  const redis = eventsRedisUrl ? await connectEvents(eventsRedisUrl) : null;
  if (redis) publishEndedSessions(orm, redis);
  try {
    const passwordHash = await hashPassword(newPassword);
    const keepsPassword = password === null;
    const outcome = await createAdmin(orm.em, { email, name, passwordHash, keepsPassword });
    if (outcome === 'promoted')
      return `${email} is now an admin, starting with its next access token.`;
    return `${email} is an admin.${password ? '' : ` Password: ${newPassword}`}`;
  } finally {
    if (redis) await closeRedis(redis);
    await disconnect(orm);
  }
}

async function connectEvents(url: string): Promise<Redis> {
  const redis = createRedis(url, createLogger('admin', 'silent'), 'admin');
  await redis.connect().catch(() => {
    console.error(
      'Redis did not respond: subscriptions of ended sessions stay open for up to 15 minutes.',
    );
  });
  return redis;
}

async function readArguments(args: string[]) {
  const parsed = parse(args);
  const { email, name, 'password-stdin': fromStdin } = parsed.values;
  if (parsed.positionals.join(' ') !== 'create' || !email) throw new UsageError(usage);
  if (name.length > 255 || !hasVisibleText(name)) {
    throw new UsageError('--name: 1 to 255 characters, at least one of them visible');
  }
  const refused = findRefusedCharacter(name, false);
  if (refused) throw new UsageError(`--name: must not have ${refused}`);
  const password = fromStdin ? (await text(process.stdin)).replace(/\r?\n$/, '') : null;
  if (password !== null && (password.length < 6 || password.length > 128)) {
    throw new UsageError('the password must have 6 to 128 characters');
  }
  try {
    const identifier = parseEmail('--email', email);
    if (password) refuseCommonPassword('the password', password);
    return { email: identifier.email, name: name.normalize('NFC'), password };
  } catch (error) {
    if (error instanceof DomainError) throw new UsageError(error.message);
    throw error;
  }
}

function parse(args: string[]) {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n\n${usage}`);
  }
}

const databaseVariable = requiredInProduction(
  z.union([z.literal(''), address]),
  '',
  'the database of the user subgraph; in development by default that of npm start',
);

const eventsVariable = setting(
  z.union([z.literal(''), address]),
  '',
  'the Redis of messages that sessions have ended; in development that of npm start',
);

/** The database in `DATABASE_URL`, with the Redis in `EVENTS_REDIS_URL`, or those that `npm start` runs. */
function systemToUse(): readonly [databaseUrl: string, eventsRedisUrl: string | undefined] {
  const { DATABASE_URL, EVENTS_REDIS_URL } = loadConfig({
    DATABASE_URL: databaseVariable,
    EVENTS_REDIS_URL: eventsVariable,
  });
  if (DATABASE_URL) return [DATABASE_URL, EVENTS_REDIS_URL];
  const running = readRunningSystem(stateFolder());
  if (!running?.databases.user) {
    throw new Error('No running system found. Start it with npm start.');
  }
  return [running.databases.user, running.eventsRedisUrl];
}

/** `npm run admin -- create --email …`, and `node dist/ops/admin.js` in the image of the user subgraph. */
async function main(args: string[]): Promise<void> {
  try {
    console.log(await runAdmin(args, ...systemToUse()));
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}

if (process.argv[1] && pathToFileURL(process.argv[1]).href === import.meta.url) {
  await main(process.argv.slice(2));
}
