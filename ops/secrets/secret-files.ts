import { createHmac } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { variables as sandboxVariables } from '../../dev/payment-sandbox/config.js';
import { variables as routerVariables } from '../../router/config.js';
import { variables as orderVariables } from '../../subgraphs/order/config.js';
import { variables as productVariables } from '../../subgraphs/product/config.js';
import type { Variables } from '../../subgraphs/shared/config.js';
import { variables as shopVariables } from '../../subgraphs/shop/config.js';
import { variables as userVariables } from '../../subgraphs/user/config.js';
import { variables as warehouseVariables } from '../../subgraphs/warehouse/config.js';
import { subgraphNames } from '../subgraph-names.js';
import { loadSecrets, type Secrets } from './secrets.js';

/** process → the variables it reads */
export const readers: Readonly<Record<string, Variables>> = {
  router: routerVariables,
  user: userVariables,
  product: productVariables,
  shop: shopVariables,
  warehouse: warehouseVariables,
  order: orderVariables,
  'payment-sandbox': sandboxVariables,
};

/**
 * Secrets of third parties, and addresses that may contain a password. Their files are empty until somebody
 * writes them; an empty file counts as not set.
 */
export const externalSecrets = [
  'SMS_AUTH_TOKEN',
  'SMTP_URL',
  'CHALLENGE_SECRET',
  'STRIPE_SECRET_KEY',
  'STRIPE_WEBHOOK_SECRET',
  'PAYMENT_FORMER_PROVIDERS',
  'DATABASE_REPLICA_URLS',
  'OTP_REDIS_URL',
  'TIMER_REDIS_URL',
  'LOCK_REDIS_URLS',
  'EVENTS_REDIS_URL',
  'RATE_LIMIT_REDIS_URL',
];

/** subgraph → where its PostgreSQL is: `postgres:5432` */
export type DatabaseHosts = Readonly<Record<string, string>>;

/** folder → file → its content */
export type SecretFiles = Readonly<Record<string, Readonly<Record<string, string>>>>;

/**
 * The secrets of an installation, as files: a folder for each process with only those that it reads, named
 * as its variables; one for each migration, `tools` for seed, verify and rebuild, and `postgres` for the
 * server or servers.
 */
export function secretFiles(secrets: Secrets, hosts: DatabaseHosts): SecretFiles {
  const passwordOf = (role: string) =>
    createHmac('sha256', secrets.databasePassword).update(role).digest('base64url');
  const urlOf = (name: string, role: string) =>
    `postgresql://${role}:${passwordOf(role)}@${hosts[name]}/holdfast_${name}`;
  const service = (name: string) => urlOf(name, `holdfast_${name}`);
  const owner = (name: string) => urlOf(name, `holdfast_${name}_owner`);
  const roles = subgraphNames.flatMap((name) => [`holdfast_${name}`, `holdfast_${name}_owner`]);
  const known: Record<string, string> = {
    ...secrets.callers,
    AUTH_SIGNING_KEYS: secrets.signingKeys,
    OTP_SECRET: secrets.otpSecret,
    SALE_HASH_SECRET: secrets.saleHashSecret,
    SALE_RECEIPT_KEYS: secrets.receiptKeys,
    PAYMENT_SANDBOX_WEBHOOK_SECRET: secrets.webhookSecret,
  };
  const processes = Object.entries(readers).map(([name, variables]) => {
    const files = Object.entries(known).filter(([variable]) => variable in variables);
    if ('DATABASE_URL' in variables) files.push(['DATABASE_URL', service(name)]);
    files.push(
      ...externalSecrets
        .filter((each) => each in variables)
        .map((each) => [each, ''] as [string, string]),
    );
    return [name, Object.fromEntries(files)];
  });
  return {
    ...Object.fromEntries(processes),
    ...Object.fromEntries(
      subgraphNames.map((name) => [`migrate-${name}`, { DATABASE_URL: owner(name) }]),
    ),
    tools: Object.fromEntries(
      subgraphNames.map((name) => [`${name.toUpperCase()}_DATABASE_URL`, service(name)]),
    ),
    postgres: {
      POSTGRES_PASSWORD: secrets.databasePassword,
      ...Object.fromEntries(roles.map((role) => [role, passwordOf(role)])),
    },
  };
}

/**
 * Creates missing secrets, keeps existing ones, and writes all of them to folders under `folder`, which is
 * accessible to its owner only.
 */
export async function makeSecretFiles(folder: string, hosts: DatabaseHosts): Promise<void> {
  mkdirSync(join(folder, 'all'), { recursive: true, mode: 0o700 });
  const secrets = await loadSecrets(join(folder, 'all'));
  for (const [name, files] of Object.entries(secretFiles(secrets, hosts))) {
    mkdirSync(join(folder, name), { recursive: true });
    for (const [file, value] of Object.entries(files)) {
      const path = join(folder, name, file);
      const isExternal = externalSecrets.includes(file);
      if (isExternal && existsSync(path)) continue;
      rmSync(path, { force: true });
      // Readable by every user of the container into which the folder is mounted.
      writeFileSync(path, value, { mode: isExternal ? 0o644 : 0o444 });
    }
  }
}
