import { readFileSync } from 'node:fs';
import { z } from 'zod';

/**
 * One environment variable: what it is for, its type, and its defaults. Without a `productionDefault`
 * it is required when `NODE_ENV=production`.
 */
export interface Variable<T = unknown> {
  readonly about: string;
  readonly type: z.ZodType<T>;
  readonly developmentDefault?: string;
  readonly productionDefault?: string;
}
export type Variables = Readonly<Record<string, Variable>>;
export type Config<V extends Variables> = {
  readonly [K in keyof V]: V[K] extends Variable<infer T> ? T : never;
};

/** A value with the same default everywhere. */
export function setting<T>(type: z.ZodType<T>, value: string, about: string): Variable<T> {
  return { about, type, developmentDefault: value, productionDefault: value };
}

/** A secret or an address: it has a default in development only. */
export function requiredInProduction<T>(
  type: z.ZodType<T>,
  developmentValue: string,
  about: string,
): Variable<T> {
  return { about, type, developmentDefault: developmentValue };
}

/** The configuration of a process is invalid; `problems` has one sentence for each variable. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`Invalid configuration:\n${problems.map((p) => `  ${p}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

/**
 * Reads the environment once. `NAME_FILE` may name a file that contains the value of `NAME`, as Docker
 * and Kubernetes mount secrets. An empty value or file counts as not set.
 *
 * @throws ConfigError naming every variable that is missing or malformed
 */
export function loadConfig<V extends Variables>(variables: V, env = process.env): Config<V> {
  const production = env.NODE_ENV === 'production';
  const problems: string[] = [];
  if (production && env.FAIL_POINT_FILE) {
    problems.push('FAIL_POINT_FILE kills the process; it is allowed in tests only');
  }
  const values: Record<string, unknown> = {};
  for (const [name, variable] of Object.entries(variables)) {
    const text = readVariable(name, env, problems);
    const fallback = production ? variable.productionDefault : variable.developmentDefault;
    const value = text ?? fallback;
    if (value === undefined) {
      problems.push(`${name} is missing: ${variable.about}`);
      continue;
    }
    if (production && isPublicDefault(variable, value)) {
      problems.push(`${name} must not be the public development default: ${variable.about}`);
      continue;
    }
    const parsed = variable.type.safeParse(value);
    if (parsed.success) values[name] = parsed.data;
    else
      problems.push(`${name} is malformed (${parsed.error.issues[0]?.message}): ${variable.about}`);
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(values) as Config<V>;
}

/** Addresses may be the same in production; secrets may not. */
function isPublicDefault({ type, developmentDefault, productionDefault }: Variable, value: string) {
  return productionDefault === undefined && value === developmentDefault && type !== address;
}

function readVariable(name: string, env: NodeJS.ProcessEnv, problems: string[]) {
  const value = env[name];
  if (value !== undefined && value !== '') return value;
  const file = env[`${name}_FILE`];
  if (!file) return undefined;
  try {
    return readFileSync(file, 'utf8').trim() || undefined;
  } catch (error) {
    problems.push(`${name}_FILE cannot be read: ${(error as Error).message}`);
    return undefined;
  }
}

export const port = z.coerce.number().int().min(0).max(65_535);
export const count = z.coerce.number().int().min(1);
export const text = z.string().min(1);
export const address = z.url();
/** Addresses, separated by commas. */
export const addresses = z
  .string()
  .transform((list) => list.split(',').map((url) => url.trim()))
  .transform((list) => list.filter(Boolean))
  .pipe(z.array(address));
export const secretText = z.string().min(16);

/** The processes that call each other; each identifies itself with its own secret. */
export const callers = ['router', 'user', 'product', 'shop', 'warehouse', 'order'] as const;
export type Caller = (typeof callers)[number];

/** The variable with the secret of one caller: `ROUTER_SECRET`, `ORDER_SECRET`, … */
export function secretOf<C extends Caller>(caller: C) {
  const name = `${caller.toUpperCase() as Uppercase<C>}_SECRET` as const;
  const about = `the secret by which the ${caller} process identifies itself, at least 16 characters`;
  const variable = requiredInProduction(secretText, `development-secret-of-${caller}`, about);
  return { [name]: variable } as Record<typeof name, Variable<string>>;
}

export const telemetryVariables = {
  OTEL_EXPORTER_OTLP_ENDPOINT: setting(
    z.union([z.literal(''), address]),
    '',
    'collector for traces and logs (OTLP over HTTP), such as http://127.0.0.1:4318; empty: none',
  ),
};

const requestLogVariables = {
  LOG_SLOW_MS: setting(count, '1000', 'from this duration on each request is logged, in ms'),
  LOG_REQUESTS_PER_SECOND: {
    about: 'lines a second and route for requests without errors, or all; the rest are counted',
    type: z.union([
      z.literal('all').transform(() => Number.POSITIVE_INFINITY),
      z.coerce.number().int().min(0),
    ]),
    developmentDefault: 'all',
    productionDefault: '10',
  } satisfies Variable<number>,
};

export const logLevel = setting(
  z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
  'info',
  'the lowest level that is logged',
);

/** The variables of every process. */
export function processVariables(defaultPort: number) {
  return {
    ...telemetryVariables,
    NODE_ENV: setting(
      z.enum(['development', 'test', 'production']),
      'development',
      'development, test or production; in production no secret has a default',
    ),
    LOG_LEVEL: logLevel,
    ...requestLogVariables,
    HOST: setting(text, '127.0.0.1', 'the address to listen on'),
    PORT: setting(port, String(defaultPort), 'the port to listen on'),
    OPS_PORT: setting(
      port,
      String(defaultPort + 5000),
      'the port of /healthz, /readyz and /metrics; keep it private',
    ),
  };
}

/** The variables of every subgraph. */
export function subgraphVariables(name: string, defaultPort: number) {
  return {
    ...processVariables(defaultPort),
    ...secretOf('router'),
    DATABASE_URL: requiredInProduction(
      address,
      `postgresql://${name}:${name}@127.0.0.1:54329/${name}`,
      'the database of this subgraph: postgresql://role:password@host:port/database',
    ),
    DATABASE_POOL_MAX: setting(count, '10', 'database connections that a process may open'),
  };
}

/** The variables of subgraphs with subscriptions. */
export const feedVariables = {
  DATABASE_FEED_POOL_MAX: setting(
    count,
    '4',
    'database connections that a process may open for subscriptions',
  ),
};

/** The variables of subgraphs that can read from replicas. */
export const replicaVariables = {
  DATABASE_REPLICA_URLS: setting(
    addresses,
    '',
    'replicas of the database, separated by commas; used for queries of clients only',
  ),
};

/** Where the user subgraph publishes the keys that sign access tokens. */
export const tokenVariables = {
  JWKS_URL: requiredInProduction(
    address,
    'http://127.0.0.1:4001/.well-known/jwks.json',
    'where the user subgraph publishes its public keys',
  ),
};

/** Challenges that show that a person sends a request (challenge/challenge.ts). */
export const challengeVariables = {
  CHALLENGE_VERIFY_URL: setting(
    z.union([z.literal(''), z.url({ protocol: /^https?$/ })]),
    '',
    'where tokens of challenges are verified, by the protocol of Turnstile and hCaptcha; empty: none is required',
  ),
  CHALLENGE_SECRET: setting(
    z.string(),
    '',
    'the secret of the account at the provider of challenges',
  ),
};

/** Who takes payments: for the order subgraph, and for the store, which shows how to pay. */
export const paymentProviderVariables = {
  PAYMENT_PROVIDER: {
    about: 'the payment provider: sandbox or stripe; production uses the sandbox only if set here',
    type: z.enum(['sandbox', 'stripe']),
    developmentDefault: 'sandbox',
    productionDefault: 'stripe',
  } satisfies Variable<'sandbox' | 'stripe'>,
};
