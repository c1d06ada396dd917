import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readDatabaseHosts } from '../../ops/secrets/database-hosts.js';
import { externalSecrets, makeSecretFiles, readers } from '../../ops/secrets/secret-files.js';
import { root, subgraphNames } from '../../ops/subgraph-names.js';
import { composeVariables, rawEnvironment, readComposeFile } from './compose-file.js';
import { loadAsInProduction, missingVariables, unknownVariables } from './process-environment.js';

const services = readComposeFile();
const own = Object.entries(services).filter(([, { image }]) => image.startsWith('holdfast-'));
const programs = own.filter(([name]) => name !== 'secrets');
const dockerfile = readFileSync(join(root, 'docker/Dockerfile'), 'utf8');

/** The volume of a service's secrets: `secrets-order`, … */
const secretsOf = (name: string) =>
  services[name]?.volumes?.find((volume) => volume.endsWith(':/run/secrets:ro'))?.split(':')[0];

/** All dependencies of a service, transitively. */
const dependenciesOf = (name: string): string[] =>
  Object.keys(services[name]?.depends_on ?? {}).flatMap((each) => [each, ...dependenciesOf(each)]);

describe('docker-compose.yml', () => {
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-secrets-'));
    await makeSecretFiles(folder, readDatabaseHosts(['postgres:5432']));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('runs every process, and a migration before each subgraph', () => {
    expect(Object.keys(services)).toEqual(expect.arrayContaining(Object.keys(readers)));
    for (const name of subgraphNames) {
      const migrated = { condition: 'service_completed_successfully' };
      expect(services[name]?.depends_on).toMatchObject({ [`migrate-${name}`]: migrated });
    }
  });

  it.each(programs)(
    '%s sets all variables of its program except the withheld ones, and no others',
    (name, service) => {
      const { environment = {} } = service;
      expect(unknownVariables(name, environment)).toEqual([]);
      expect(missingVariables(name, environment)).toEqual([]);
    },
  );

  it.each(programs)('%s has a valid configuration for production', (name, { environment = {} }) => {
    const mounted = join(folder, (secretsOf(name) ?? '').replace('secrets-', ''));
    const read = Object.fromEntries(
      Object.entries(environment).map(([variable, value]) => {
        return [variable, value.replace('/run/secrets', mounted)];
      }),
    );
    expect(() => loadAsInProduction(name, read)).not.toThrow();
  });

  it('substitutes only variables of .env.example', () => {
    const example = readFileSync(join(root, '.env.example'), 'utf8');
    for (const name of Object.keys(composeVariables()))
      expect(example).toMatch(new RegExp(`^# ${name}=`, 'm'));
  });

  it('mounts the secrets of each process read-only, and no other secrets', () => {
    for (const [name, { volumes = [] }] of programs) {
      const given = volumes.filter((volume) => volume.startsWith('secrets-'));
      const tool = ['seed', 'verify', 'tools'].includes(name) ? 'tools' : name;
      expect([name, given]).toEqual([name, [`secrets-${tool}:/run/secrets:ro`]]);
    }
    const made = readdirSync(folder).map((name) => `secrets-${name}:/secrets/${name}`);
    expect(services.secrets?.volumes?.toSorted()).toEqual(made.sort());
    expect(statSync(join(folder, 'order/ORDER_SECRET')).mode & 0o222).toBe(0);
  });

  it('publishes only the port of the router and, on this machine, that of the dashboard', () => {
    const published = Object.entries(services).filter(([, { ports }]) => ports);
    expect(published.map(([name]) => name)).toEqual(['router', 'lgtm']);
    expect(services.lgtm?.profiles).toEqual(['obs']);
    expect(services.lgtm?.ports).toEqual(['127.0.0.1:3000:3000']);
  });

  it('lets only their users reach PostgreSQL, Redis and the locks', () => {
    const on = (network: string) =>
      Object.keys(services).filter((name) => services[name]?.networks?.includes(network));
    const jobs = subgraphNames.map((name) => `migrate-${name}`);
    expect(on('databases').sort()).toEqual(
      ['postgres', 'seed', 'tools', 'verify', ...subgraphNames, ...jobs].sort(),
    );
    expect(on('redis').sort()).toEqual(['order', 'redis', 'router', 'user', 'warehouse']);
    expect(on('locks').sort()).toEqual(['lock-1', 'lock-2', 'lock-3', 'warehouse']);
  });

  it('gives order and the store of the router one payment provider', () => {
    const { PAYMENT_PROVIDER: atRouter } = rawEnvironment('router');
    expect(atRouter).toBe(rawEnvironment('order').PAYMENT_PROVIDER);
  });

  it('seeds no demo store with real payments, and can reach the collector of traces', () => {
    const { PAYMENT_PROVIDER: atOrder } = rawEnvironment('order');
    const { PAYMENT_PROVIDER: atSeed } = rawEnvironment('seed');
    expect(atOrder).toMatch('PAYMENT_PROVIDER');
    expect(atSeed).toBe(atOrder);
    const senders = programs.filter(([, { environment = {} }]) => {
      return 'OTEL_EXPORTER_OTLP_ENDPOINT' in environment;
    });
    expect(senders.map(([name]) => name).sort()).toEqual(Object.keys(readers).sort());
    for (const [name, { networks = [] }] of senders) {
      const shared = networks.filter((network) => services.lgtm?.networks?.includes(network));
      expect([name, shared.length > 0]).toEqual([name, true]);
    }
  });

  it('limits every service, restarts processes, and runs our images without privileges', () => {
    for (const [name, service] of Object.entries(services)) {
      expect([name, service.mem_limit, service.cpus]).toEqual([
        name,
        expect.any(String),
        expect.any(Number),
      ]);
      expect([name, service.restart]).toEqual([
        name,
        expect.stringMatching(/^(no|unless-stopped)$/),
      ]);
      // Docker refuses more CPUs than a machine has.
      expect([name, service.cpus as number]).toEqual([name, Math.min(1, service.cpus as number)]);
      expect([name, service.logging]).toEqual([
        name,
        { driver: 'json-file', options: { 'max-size': '10m', 'max-file': '3' } },
      ]);
      // A service may have several replicas, so none has a fixed name or port.
      expect(service).not.toHaveProperty('container_name');
    }
    for (const [, service] of own) {
      expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'] });
    }
  });

  it('reads secrets of third parties from files, if the environment does not set them', () => {
    const { user, order } = services;
    const given = { ...user?.environment, ...order?.environment };
    for (const name of externalSecrets.filter((each) => /^(STRIPE|SMS|SMTP)/.test(each))) {
      expect([name, given[`${name}_FILE`]]).toEqual([name, `/run/secrets/${name}`]);
    }
  });

  it('pins the version of every external image', () => {
    for (const [name, { image }] of Object.entries(services)) {
      if (!image.startsWith('holdfast-'))
        expect([name, image]).toEqual([name, expect.stringMatching(/:\d/)]);
    }
  });

  it('builds each image once, by a dependency of the services that use it', () => {
    const builders = own.filter(([, { build }]) => build);
    const images = builders.map(([, { image }]) => image);
    expect(images.toSorted()).toEqual([...new Set(own.map(([, { image }]) => image))].sort());
    for (const [name, { image, build, profiles }] of builders) {
      expect([name, profiles, image]).toEqual([name, undefined, `holdfast-${build?.target}`]);
      const from = /^(tools|payment-sandbox)$/.test(build?.target ?? '') ? 'runtime' : 'service';
      expect(dockerfile).toContain(`\nFROM ${from} AS ${build?.target}\n`);
    }
    // `tools` is run by hand while the system is up.
    const users = own.filter(([name, { build }]) => !build && name !== 'tools');
    for (const [name, { image }] of users) {
      const builder = builders.find(([, service]) => service.image === image)?.[0] as string;
      expect([name, dependenciesOf(name)]).toEqual([name, expect.arrayContaining([builder])]);
    }
  });
});
