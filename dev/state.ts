import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { callers } from '../subgraphs/shared/config.js';
import { generateSigningKey } from '../subgraphs/user/session/signing-keys.js';
import { StartError } from './databases/server-process.js';
import { root } from './services.js';

/** The folder in which `npm start` keeps its databases, secrets and log between runs. */
export const stateFolder = () => resolve(root, process.env.STATE_DIR ?? '.holdfast');

/** Secrets of one installation; made once, at random. */
export interface Secrets {
  readonly databasePassword: string;
  /** `ROUTER_SECRET`, … → its value */
  readonly callers: Readonly<Record<string, string>>;
  /** `AUTH_SIGNING_KEYS` */
  readonly signingKeys: string;
  /** `OTP_SECRET` */
  readonly otpSecret: string;
  /** with which the payment sandbox signs */
  readonly webhookSecret: string;
}

export async function makeSecrets(): Promise<Secrets> {
  const secret = () => randomBytes(24).toString('base64url');
  return {
    databasePassword: secret(),
    callers: Object.fromEntries(callers.map((name) => [`${name.toUpperCase()}_SECRET`, secret()])),
    signingKeys: JSON.stringify({ keys: [await generateSigningKey()] }),
    otpSecret: secret(),
    webhookSecret: secret(),
  };
}

/** Reads the secrets of a state folder that is taken; makes those that are not there yet. */
export async function loadSecrets(folder: string): Promise<Secrets> {
  const file = join(folder, 'secrets.json');
  const known = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  const made = await makeSecrets();
  const callers = { ...made.callers, ...known.callers };
  const secrets: Secrets = { ...made, ...known, callers };
  writeFileSync(`${file}.part`, JSON.stringify(secrets, null, 2), { mode: 0o600 });
  renameSync(`${file}.part`, file);
  return secrets;
}

/** Forgets data, secrets and log, and keeps what was only unpacked. */
export function forgetState(folder: string): void {
  for (const name of [
    'postgres',
    'secrets.json',
    'environment.json',
    'sessions.json',
    'payments.jsonl',
    'holdfast.log',
  ]) {
    rmSync(join(folder, name), { recursive: true, force: true });
  }
}

/**
 * Takes the state folder for this process.
 *
 * @throws StartError while another process that runs has it
 */
export function takeState(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, 'pid');
  const holder = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
  if (holder > 0 && holder !== process.pid && isRunning(holder)) {
    throw new StartError(
      `A system runs in ${folder} already (process ${holder}): stop it, or choose another folder with STATE_DIR.`,
    );
  }
  writeFileSync(file, String(process.pid));
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === 'EPERM';
  }
}

export function giveBackState(folder: string): void {
  rmSync(systemFile(folder), { force: true });
  rmSync(join(folder, 'pid'), { force: true });
}

/** Where the parts of a running system are, for `npm run seed` and `npm run verify`. */
export interface RunningSystem {
  readonly graphqlUrl: string;
  readonly databases: Readonly<Record<string, string>>;
}

const systemFile = (folder: string) => join(folder, 'environment.json');

export function writeRunningSystem(folder: string, system: RunningSystem): void {
  writeFileSync(systemFile(folder), JSON.stringify(system, null, 2), { mode: 0o600 });
}

export function readRunningSystem(folder: string): RunningSystem | null {
  const file = systemFile(folder);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as RunningSystem) : null;
}
