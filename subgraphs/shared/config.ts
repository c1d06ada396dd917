import { readFileSync } from 'node:fs';
import { z } from 'zod';

/**
 * One environment variable: how it is read, what it is for, and what stands in for it when it is
 * not set. Without a `productionDefault` a process with `NODE_ENV=production` refuses to start.
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

/** A secret or an address: it has a default for development, and none in production. */
export function requiredInProduction<T>(
  type: z.ZodType<T>,
  developmentValue: string,
  about: string,
): Variable<T> {
  return { about, type, developmentDefault: developmentValue };
}

/** The configuration of a process is wrong; `problems` has one sentence for each variable. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`The configuration is not usable:\n${problems.map((p) => `  ${p}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

/**
 * Reads the environment once. `NAME_FILE` may name a file that holds the value of `NAME`, as Docker
 * and Kubernetes mount secrets; one that is empty counts as not set, as an empty `NAME` does.
 *
 * @throws ConfigError naming every variable that is missing or malformed
 */
export function loadConfig<V extends Variables>(variables: V, env = process.env): Config<V> {
  const production = env.NODE_ENV === 'production';
  const problems: string[] = [];
  if (production && env.FAIL_POINT_FILE) {
    problems.push('FAIL_POINT_FILE is for tests: it kills the process');
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
      problems.push(
        `${name} must not be what development has, which everybody knows: ${variable.about}`,
      );
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

/** Addresses may be the same in production; secrets, and what stands in for them, may not. */
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
export const secretText = z.string().min(16);

/** The processes that call one another; each identifies itself with a secret of its own. */
export const callers = ['router', 'user', 'product', 'shop', 'warehouse', 'order'] as const;
export type Caller = (typeof callers)[number];

/** The variable with the secret of one caller: `ROUTER_SECRET`, `ORDER_SECRET`, … */
export function secretOf<C extends Caller>(caller: C) {
  const name = `${caller.toUpperCase() as Uppercase<C>}_SECRET` as const;
  const about = `the secret with which the ${caller} process identifies itself, 16 characters or more`;
  const variable = requiredInProduction(secretText, `development-secret-of-${caller}`, about);
  return { [name]: variable } as Record<typeof name, Variable<string>>;
}

export const telemetryVariables = {
  OTEL_EXPORTER_OTLP_ENDPOINT: setting(
    z.union([z.literal(''), address]),
    '',
    'where traces and logs are sent by OTLP over HTTP, if anywhere: http://127.0.0.1:4318',
  ),
};

/** What every process reads. */
export function processVariables(defaultPort: number) {
  return {
    ...telemetryVariables,
    NODE_ENV: setting(
      z.enum(['development', 'test', 'production']),
      'development',
      'development, test or production; production accepts no default secret',
    ),
    LOG_LEVEL: setting(
      z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
      'info',
      'the least important level that is logged',
    ),
    HOST: setting(text, '127.0.0.1', 'the address on which the process listens'),
    PORT: setting(port, String(defaultPort), 'the port of the process'),
    OPS_PORT: setting(
      port,
      String(defaultPort + 5000),
      'the port of /healthz, /readyz and /metrics, for operations only',
    ),
  };
}

/** What every subgraph reads beside that. */
export function subgraphVariables(name: string, defaultPort: number) {
  return {
    ...processVariables(defaultPort),
    ...secretOf('router'),
    DATABASE_URL: requiredInProduction(
      address,
      `postgresql://${name}:${name}@127.0.0.1:54329/${name}`,
      `the database of this subgraph, as postgresql://role:password@host:port/database`,
    ),
    DATABASE_POOL_MAX: setting(count, '10', 'how many database connections a process may open'),
  };
}

/** What subgraphs read whose queries may be answered by replicas. */
export const replicaVariables = {
  DATABASE_REPLICA_URLS: setting(
    z
      .string()
      .transform((list) => list.split(',').map((url) => url.trim()))
      .transform((list) => list.filter(Boolean))
      .pipe(z.array(address)),
    '',
    'replicas of the database, separated by commas: queries of clients read from them, nothing that decides does',
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
