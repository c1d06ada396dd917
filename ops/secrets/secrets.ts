import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateSigningKey } from '../../subgraphs/shared/auth/signing-keys.js';
import { callers } from '../../subgraphs/shared/config.js';

/** Secrets of one installation; generated once. */
export interface Secrets {
  readonly databasePassword: string;
  /** `ROUTER_SECRET`, … → its value */
  readonly callers: Readonly<Record<string, string>>;
  /** `AUTH_SIGNING_KEYS` */
  readonly signingKeys: string;
  /** `OTP_SECRET` */
  readonly otpSecret: string;
  /** `SALE_HASH_SECRET` */
  readonly saleHashSecret: string;
  /** `SALE_RECEIPT_KEYS` */
  readonly receiptKeys: string;
  /** the key with which the payment sandbox signs webhooks */
  readonly webhookSecret: string;
}

export async function makeSecrets(): Promise<Secrets> {
  const secret = () => randomBytes(24).toString('base64url');
  return {
    databasePassword: secret(),
    callers: Object.fromEntries(callers.map((name) => [`${name.toUpperCase()}_SECRET`, secret()])),
    signingKeys: JSON.stringify({ keys: [await generateSigningKey()] }),
    otpSecret: secret(),
    saleHashSecret: secret(),
    receiptKeys: JSON.stringify({ keys: [await generateSigningKey()] }),
    webhookSecret: secret(),
  };
}

/** Reads the secrets of a claimed state folder, and generates those that are missing. */
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
