import { createHmac } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { variables as routerVariables } from '../../router/config.js';
import { variables as orderVariables } from '../../subgraphs/order/config.js';
import { variables as productVariables } from '../../subgraphs/product/config.js';
import type { Variables } from '../../subgraphs/shared/config.js';
import { variables as shopVariables } from '../../subgraphs/shop/config.js';
import { variables as userVariables } from '../../subgraphs/user/config.js';
import { variables as warehouseVariables } from '../../subgraphs/warehouse/config.js';
import { variables as sandboxVariables } from '../payment-sandbox/index.js';
import { subgraphNames } from '../services.js';
import { loadSecrets, type Secrets } from '../state.js';

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

/** folder → file → what stands in it */
export type SecretFiles = Readonly<Record<string, Readonly<Record<string, string>>>>;

/**
 * The secrets of an installation, as files: a folder for each process with those that it reads and no
 * others, named as its variables are; `owners` for the migrations, `tools` for seed, verify and
 * rebuild, and `postgres` for the server.
 *
 * @param databaseHost where PostgreSQL is: `postgres:5432`
 */
export function secretFiles(secrets: Secrets, databaseHost: string): SecretFiles {
  const passwordOf = (role: string) =>
    createHmac('sha256', secrets.databasePassword).update(role).digest('base64url');
  const urlOf = (name: string, role: string) =>
    `postgresql://${role}:${passwordOf(role)}@${databaseHost}/holdfast_${name}`;
  const service = (name: string) => urlOf(name, `holdfast_${name}`);
  const owner = (name: string) => urlOf(name, `holdfast_${name}_owner`);
  const urls = (of: (name: string) => string) =>
    Object.fromEntries(
      subgraphNames.map((name) => [`${name.toUpperCase()}_DATABASE_URL`, of(name)]),
    );
  const roles = subgraphNames.flatMap((name) => [`holdfast_${name}`, `holdfast_${name}_owner`]);
  const known: Record<string, string> = {
    ...secrets.callers,
    AUTH_SIGNING_KEYS: secrets.signingKeys,
    OTP_SECRET: secrets.otpSecret,
    PAYMENT_SANDBOX_WEBHOOK_SECRET: secrets.webhookSecret,
  };
  const processes = Object.entries(readers).map(([name, variables]) => {
    const files = Object.entries(known).filter(([variable]) => variable in variables);
    if ('DATABASE_URL' in variables) files.push(['DATABASE_URL', service(name)]);
    return [name, Object.fromEntries(files)];
  });
  return {
    ...Object.fromEntries(processes),
    owners: urls(owner),
    tools: urls(service),
    postgres: {
      POSTGRES_PASSWORD: secrets.databasePassword,
      ...Object.fromEntries(roles.map((role) => [role, passwordOf(role)])),
    },
  };
}

/** Makes what is not there yet, keeps what is, and writes all of it into folders under `folder`. */
export async function makeSecretFiles(folder: string, databaseHost: string): Promise<void> {
  mkdirSync(join(folder, 'all'), { recursive: true, mode: 0o700 });
  const secrets = await loadSecrets(join(folder, 'all'));
  for (const [name, files] of Object.entries(secretFiles(secrets, databaseHost))) {
    mkdirSync(join(folder, name), { recursive: true });
    for (const [file, value] of Object.entries(files)) {
      const path = join(folder, name, file);
      rmSync(path, { force: true });
      // Whoever has the folder mounted may read it; who else may come to it is up to the mount.
      writeFileSync(path, value, { mode: 0o444 });
    }
  }
}
