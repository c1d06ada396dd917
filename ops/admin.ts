import { randomBytes } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { address, loadConfig, requiredInProduction } from '../subgraphs/shared/config.js';
import { connect, disconnect } from '../subgraphs/shared/database/connect.js';
import { DomainError } from '../subgraphs/shared/errors.js';
import { hasVisibleText } from '../subgraphs/shared/text.js';
import { createAdmin } from '../subgraphs/user/account/create-admin.js';
import { parseEmail } from '../subgraphs/user/credentials/identifier.js';
import { hashPassword, refuseCommonPassword } from '../subgraphs/user/credentials/password.js';
import { databaseSchema } from '../subgraphs/user/mikro-orm.config.js';
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
 * Creates an admin in the database of the user subgraph.
 *
 * @returns the text to print
 * @throws UsageError
 */
export async function runAdmin(args: string[], databaseUrl: string): Promise<string> {
  const { email, name, password } = await readArguments(args);
  const newPassword = password ?? randomBytes(12).toString('base64url');
  const orm = await connect({ name: 'admin', url: databaseUrl, poolMax: 1 }, databaseSchema);
  try {
    const passwordHash = await hashPassword(newPassword);
    const keepsPassword = password === null;
    const outcome = await createAdmin(orm.em, { email, name, passwordHash, keepsPassword });
    if (outcome === 'promoted')
      return `${email} is now an admin, starting with its next access token.`;
    return `${email} is an admin.${password ? '' : ` Password: ${newPassword}`}`;
  } finally {
    await disconnect(orm);
  }
}

async function readArguments(args: string[]) {
  const parsed = parse(args);
  const { email, name, 'password-stdin': fromStdin } = parsed.values;
  if (parsed.positionals.join(' ') !== 'create' || !email) throw new UsageError(usage);
  if (name.length > 255 || !hasVisibleText(name)) {
    throw new UsageError('--name: 1 to 255 characters, at least one of them visible');
  }
  const password = fromStdin ? (await text(process.stdin)).replace(/\r?\n$/, '') : null;
  if (password !== null && (password.length < 6 || password.length > 128)) {
    throw new UsageError('the password must have 6 to 128 characters');
  }
  try {
    const identifier = parseEmail('--email', email);
    if (password) refuseCommonPassword('the password', password);
    return { email: identifier.email, name, password };
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

/** The database in `DATABASE_URL`, or that of the system that `npm start` runs. */
async function databaseToUse(): Promise<string> {
  const { DATABASE_URL } = loadConfig({ DATABASE_URL: databaseVariable });
  if (DATABASE_URL) return DATABASE_URL;
  const url = readRunningSystem(stateFolder())?.databases.user;
  if (!url) throw new Error('No running system found. Start it with npm start.');
  return url;
}

/** `npm run admin -- create --email …`, and `node dist/ops/admin.js` in the image of the user subgraph. */
async function main(args: string[]): Promise<void> {
  try {
    console.log(await runAdmin(args, await databaseToUse()));
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}

if (process.argv[1] && pathToFileURL(process.argv[1]).href === import.meta.url) {
  await main(process.argv.slice(2));
}
