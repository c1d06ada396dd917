import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { root } from '../../ops/subgraph-names.js';

export interface ComposeService {
  readonly image: string;
  readonly build?: { readonly target: string };
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly networks?: readonly string[];
  readonly ports?: readonly string[];
  readonly profiles?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly [setting: string]: unknown;
}

const substitution = /\$\{([A-Z_]+):?-([^}]*)\}/g;
const text = () => readFileSync(join(root, 'docker-compose.yml'), 'utf8');

const parsed = (): Readonly<Record<string, ComposeService>> =>
  parse(text(), { merge: true, maxAliasCount: -1 }).services;

/** The environment of a service, without substitution of variables. */
export const rawEnvironment = (name: string) => parsed()[name]?.environment ?? {};

/** The services of docker-compose.yml, with the defaults of substituted variables. */
export function readComposeFile(): Readonly<Record<string, ComposeService>> {
  return JSON.parse(JSON.stringify(parsed()).replaceAll(substitution, '$2'));
}

/** The variables that docker-compose.yml substitutes → their defaults. */
export const composeVariables = (): Readonly<Record<string, string>> =>
  Object.fromEntries([...text().matchAll(substitution)].map(([, name, value]) => [name, value]));
