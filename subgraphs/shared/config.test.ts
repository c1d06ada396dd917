import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { variables as sandbox } from '../../dev/payment-sandbox/config.js';
import { demoVariables as seed } from '../../dev/seed/demo-variables.js';
import { databaseVariables as tools } from '../../ops/databases/urls.js';
import { root } from '../../ops/subgraph-names.js';
import { variables as router } from '../../router/config.js';
import { variables as order } from '../order/config.js';
import { variables as product } from '../product/config.js';
import { variables as shop } from '../shop/config.js';
import { variables as user } from '../user/config.js';
import { variables as warehouse } from '../warehouse/config.js';
import { ConfigError, count, loadConfig, requiredInProduction, setting, text } from './config.js';

const all = { user, product, shop, warehouse, order, router };

function problemsOf(read: () => unknown): readonly string[] {
  try {
    read();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('the configuration of a process', () => {
  const variables = {
    NODE_ENV: setting(text, 'development', 'which'),
    COUNT: setting(count, '3', 'how many'),
    KEY: requiredInProduction(text, 'a default for development', 'the key'),
  };

  it('has defaults for development, is typed, and does not change', () => {
    const config = loadConfig(variables, {});
    expect(config).toEqual({ NODE_ENV: 'development', COUNT: 3, KEY: 'a default for development' });
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('names every malformed variable', () => {
    expect(problemsOf(() => loadConfig(variables, { COUNT: 'many' }))).toEqual([
      expect.stringMatching(/^COUNT is malformed \(.+\): how many$/),
    ]);
  });

  it('reads a value from the file in NAME_FILE, and reports a file that cannot be read', () => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-config-'));
    writeFileSync(join(folder, 'key'), 'from a file\n');
    expect(loadConfig(variables, { KEY_FILE: join(folder, 'key') }).KEY).toBe('from a file');
    writeFileSync(join(folder, 'key'), '\n');
    expect(loadConfig(variables, { KEY_FILE: join(folder, 'key') }).KEY).toBe(
      variables.KEY.developmentDefault,
    );
    rmSync(folder, { recursive: true });
    expect(problemsOf(() => loadConfig(variables, { KEY_FILE: join(folder, 'key') }))).toEqual([
      expect.stringMatching(/^KEY_FILE cannot be read: /),
    ]);
  });

  it.each(Object.entries(all))(
    'of the %s has no default secret in production: each missing one is named',
    (_, ofProcess) => {
      const required = Object.entries(ofProcess)
        .filter(([, variable]) => variable.productionDefault === undefined)
        .map(([name]) => name);
      expect(required).toContain('ROUTER_SECRET');
      const problems = problemsOf(() => loadConfig(ofProcess, { NODE_ENV: 'production' }));
      expect(problems.map((problem) => problem.split(' ')[0]).sort()).toEqual(required.sort());
      for (const name of required) expect(name).toMatch(/_(SECRET|URL|URLS|KEYS)$/);
    },
  );

  it.each(Object.entries(all))(
    'of the %s in production rejects the secrets that are published in the source',
    (_, ofProcess) => {
      const published = Object.fromEntries(
        Object.entries(ofProcess)
          .filter(([, { productionDefault }]) => productionDefault === undefined)
          .map(([name, { developmentDefault }]) => [name, developmentDefault]),
      );
      const problems = problemsOf(() =>
        loadConfig(ofProcess, { NODE_ENV: 'production', ...published }),
      );
      const refused = problems.map((problem) => problem.split(' ')[0]);
      const secrets = Object.keys(published).filter((name) => !/_URLS?$/.test(name));
      expect(refused).toEqual(expect.arrayContaining(secrets));
      if ('SMTP_URL' in ofProcess) {
        expect(refused).toEqual(expect.arrayContaining(['SMTP_URL', 'SMS_GATEWAY_URL']));
      }
    },
  );

  it('is listed in .env.example: each variable once, and nothing else', () => {
    const known = new Set(
      Object.values({ ...all, sandbox, tools, seed }).flatMap((each) => Object.keys(each)),
    );
    const ofStart = ['POSTGRES_PORT', 'REDIS_PORT', 'REDIS_URL', 'STATE_DIR'];
    const lines = readFileSync(join(root, '.env.example'), 'utf8').split('\n');
    const named = lines.map((line) => /^#? ?([A-Z_]+)=/.exec(line)?.[1]).filter(Boolean);
    expect(named.sort()).toEqual([...known, ...ofStart].sort());
  });
});
