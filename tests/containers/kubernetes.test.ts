import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { works } from '../../dev/databases/server-process.js';
import { readDatabaseHosts } from '../../ops/secrets/database-hosts.js';
import { readers, secretFiles } from '../../ops/secrets/secret-files.js';
import { makeSecrets } from '../../ops/secrets/secrets.js';
import { root, subgraphNames } from '../../ops/subgraph-names.js';
import { validateObject } from './kubernetes-schemas.js';
import { type KubernetesObject, kustomize } from './kustomize.js';
import {
  environmentOf,
  find,
  folder,
  labelsOf,
  nameOf,
  objects,
  ofKind,
  pods,
  processes,
  selects,
} from './manifests.js';
import { loadAsInProduction, missingVariables, unknownVariables } from './process-environment.js';

// Kubernetes has no payment sandbox: production uses a real provider.
const ofSandbox = ['PAYMENT_PROVIDER', 'PAYMENT_SANDBOX_URL', 'PAYMENT_SANDBOX_WEBHOOK_SECRET'];

describe('the manifests of Kubernetes', () => {
  it.each([...kustomize(join(folder, 'base')), ...objects].map((each) => [nameOf(each), each]))(
    '%s matches its schema',
    (_, object) => {
      expect(() => validateObject(object as KubernetesObject)).not.toThrow();
    },
  );

  it('must not contain fields that are not in a schema', () => {
    const service = find('Service', 'order') as KubernetesObject;
    const misspelt = { ...service, spec: { ...service.spec, selektor: {} } };
    expect(() => validateObject(misspelt)).toThrow('must NOT have additional properties');
  });

  it('define each object once, in one namespace, with images of the registry', () => {
    const names = objects.map(nameOf);
    expect(new Set(names).size).toBe(names.length);
    for (const { kind, metadata } of objects) {
      expect([kind, metadata.namespace]).toEqual([
        kind,
        kind === 'Namespace' ? undefined : 'holdfast',
      ]);
    }
    for (const object of pods) {
      const { containers, initContainers = [] } = object.spec.template.spec;
      for (const { image } of [...containers, ...initContainers]) {
        expect(image).toMatch(/^images\.example\.com\/holdfast-[a-z]+:\d+\.\d+\.\d+$/);
      }
    }
  });

  it.each(pods.map((object) => [nameOf(object), object] as const))(
    '%s sets all variables of its program except the withheld ones, and no others',
    (_, object) => {
      const { containers, initContainers = [] } = object.spec.template.spec;
      for (const container of [...containers, ...initContainers]) {
        const isMigration = container.args?.[1]?.endsWith('migrate.js');
        const program = isMigration ? 'migrate' : container.name;
        const environment = environmentOf(container);
        expect(unknownVariables(program, environment)).toEqual([]);
        const missing = missingVariables(program, environment);
        expect(missing.filter((name) => !ofSandbox.includes(name))).toEqual([]);
      }
    },
  );

  it('give the processes valid configurations', async () => {
    const external: Readonly<Record<string, string>> = {
      SMTP_URL: 'smtps://u:p@mail.example.com',
      SMS_AUTH_TOKEN: 'of-the-provider',
      STRIPE_SECRET_KEY: 'sk_live_x',
      STRIPE_WEBHOOK_SECRET: 'whsec_x',
    };
    const secrets = secretFiles(await makeSecrets(), readDatabaseHosts(['db:5432']));
    for (const name of processes) {
      const [container] = find('Deployment', name)?.spec.template.spec.containers ?? [];
      const given = environmentOf(container);
      const files = Object.entries(given).filter(([, value]) => value.startsWith('/run/secrets/'));
      const read = files.map(([, path]) => {
        const key = path.replace('/run/secrets/', '');
        return [key, external[key] ?? secrets[name]?.[key]];
      });
      const plain = Object.entries(given).filter(([, value]) => value !== '');
      const environment = { ...Object.fromEntries(read), ...Object.fromEntries(plain) };
      for (const [variable] of files) delete environment[variable];
      expect(() => loadAsInProduction(name, environment)).not.toThrow();
    }
  });

  it('give order and the store of the router one payment provider: Stripe', () => {
    for (const name of ['order', 'router']) {
      const [container] = find('Deployment', name)?.spec.template.spec.containers ?? [];
      expect(environmentOf(container)).not.toHaveProperty('PAYMENT_PROVIDER');
      expect(readers[name]?.PAYMENT_PROVIDER?.productionDefault).toBe('stripe');
    }
  });

  it('refer to Secrets of ops/secrets, and to existing keys', async () => {
    const made = secretFiles(await makeSecrets(), readDatabaseHosts(['db:5432']));
    for (const object of pods) {
      const { volumes, containers } = object.spec.template.spec;
      const { secretName } = volumes[0].secret;
      const keys = Object.keys(made[secretName.replace('holdfast-', '')] ?? {});
      for (const [variable, path] of Object.entries(environmentOf(containers[0]))) {
        if (!variable.endsWith('_FILE')) continue;
        expect([variable, keys]).toEqual([
          variable,
          expect.arrayContaining([path.replace('/run/secrets/', '')]),
        ]);
      }
    }
  });

  it('have autoscaled replicas of each process, on different nodes, of which one may be disrupted', () => {
    expect(Object.keys(readers)).toEqual(expect.arrayContaining(processes));
    for (const name of processes) {
      const deployment = find('Deployment', name) as KubernetesObject;
      const labels = labelsOf(deployment);
      const { affinity, containers, terminationGracePeriodSeconds } = deployment.spec.template.spec;
      expect(selects(deployment.spec.selector, labels)).toBe(true);
      expect(deployment.spec).not.toHaveProperty('replicas');
      const scaler = find('HorizontalPodAutoscaler', name)?.spec;
      expect(scaler.scaleTargetRef).toMatchObject({ kind: 'Deployment', name });
      expect(scaler.minReplicas).toBeGreaterThan(1);
      expect(selects(find('PodDisruptionBudget', name)?.spec.selector, labels)).toBe(true);
      for (const term of affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution) {
        expect(selects(term.podAffinityTerm.labelSelector, labels)).toBe(true);
      }
      // preStop, then the 10 s that a process has to stop.
      expect(terminationGracePeriodSeconds).toBeGreaterThan(15);
      const [{ livenessProbe, resources }] = containers;
      expect(livenessProbe.httpGet).toEqual({ path: '/healthz', port: 'ops' });
      expect(resources).toMatchObject({ requests: { cpu: expect.any(String) }, limits: {} });
    }
  });

  it('make a router ready once all subgraphs have responded, and keep it ready if one fails later', () => {
    const probesOf = (name: string) => {
      const [container] = find('Deployment', name)?.spec.template.spec.containers ?? [];
      const { startupProbe, readinessProbe } = container;
      return { start: startupProbe, ready: readinessProbe, path: readinessProbe.httpGet.path };
    };
    const router = probesOf('router');
    expect(router.start.httpGet).toEqual({ path: '/readyz', port: 'ops' });
    expect(router.path).toBe('/readyz?exclude=subgraphs');
    for (const name of subgraphNames) {
      const { ready, path } = probesOf(name);
      expect([name, path]).toEqual([name, '/readyz']);
      // The restart of a database affects all replicas.
      expect(ready.periodSeconds * ready.failureThreshold).toBeGreaterThanOrEqual(30);
    }
  });

  it('have the same alerts and dashboard as Compose', () => {
    const alerts = readFileSync(join(root, 'docker/prometheus/alerts.yml'), 'utf8');
    const rule = readFileSync(join(folder, 'base/prometheus-rule.yaml'), 'utf8');
    // Created by the command in its first lines.
    const indented = alerts.slice(alerts.indexOf('\ngroups:')).replace(/\n(?=[^\n])/g, '\n  ');
    expect(rule.slice(rule.indexOf('\nspec:') + '\nspec:'.length)).toBe(indented);
    expect(find('PrometheusRule', 'holdfast')?.spec).toEqual(parse(alerts));
    const dashboard = find('ConfigMap', 'holdfast-dashboard');
    expect(dashboard?.metadata.labels).toMatchObject({ grafana_dashboard: '1' });
    expect(JSON.parse(dashboard?.data?.['holdfast.json'] ?? '').title).toBe('Holdfast');
  });

  describe('when settings or secrets change', () => {
    const work = mkdtempSync(join(tmpdir(), 'holdfast-overlay-'));
    const overlay = join(work, 'kubernetes/overlays/production');
    const secrets = join(work, 'secrets');
    beforeAll(() => {
      for (const part of ['kubernetes', 'grafana']) {
        cpSync(join(root, 'docker', part), join(work, part), { recursive: true });
      }
    });
    afterAll(() => rmSync(work, { recursive: true }));
    /** Deployment → the template of its pods: a change of it replaces them. */
    const templates = () =>
      Object.fromEntries(
        kustomize(overlay)
          .filter(({ kind }) => kind === 'Deployment')
          .map(({ metadata, spec }) => [metadata.name, JSON.stringify(spec.template)]),
      );
    const changedSince = (before: Record<string, string>) =>
      Object.entries(templates())
        .filter(([name, template]) => before[name] !== template)
        .map(([name]) => name)
        .sort();

    it('replace the pods that read the settings', () => {
      const before = templates();
      const settings = join(overlay, 'settings.env');
      const text = readFileSync(settings, 'utf8');
      writeFileSync(settings, text.replace('RESERVATION_MINUTES=15', 'RESERVATION_MINUTES=20'));
      expect(changedSince(before)).toEqual([...processes].sort());
      writeFileSync(settings, text);
      expect(changedSince(before)).toEqual([]);
    });

    it('have no Job that reads the settings: the template of a Job cannot change', () => {
      for (const { spec } of ofKind('Job')) {
        expect(JSON.stringify(spec.template)).not.toContain('configMapKeyRef');
      }
    });

    it('replace the pods whose secrets were changed, by the script that applies Secrets', () => {
      const tool = join(work, 'bin');
      mkdirSync(tool);
      // What the script sends to Kubernetes.
      writeFileSync(join(tool, 'kubectl'), '#!/bin/sh\necho "$@" >> "$APPLIED"\n', { mode: 0o755 });
      const migrations = subgraphNames.map((name) => `migrate-${name}`);
      for (const name of [...processes, 'tools', ...migrations]) {
        mkdirSync(join(secrets, name), { recursive: true });
        writeFileSync(join(secrets, name, 'DATABASE_URL'), `of ${name}`);
      }
      const applied = join(work, 'applied');
      const applySecrets = () =>
        execFileSync(join(work, 'kubernetes/apply-secrets.sh'), [secrets, overlay], {
          env: { ...process.env, PATH: `${tool}:${process.env.PATH}`, APPLIED: applied },
        });
      applySecrets();
      const names = readFileSync(applied, 'utf8').match(/(?<=generic )\S+/g);
      const mounted = pods.map(({ spec }) => spec.template.spec.volumes[0].secret.secretName);
      expect(new Set(names)).toEqual(new Set(mounted));

      const before = templates();
      applySecrets();
      expect(changedSince(before)).toEqual([]);
      writeFileSync(join(secrets, 'order', 'STRIPE_SECRET_KEY'), 'sk_live_new');
      writeFileSync(join(secrets, 'tools', 'DATABASE_URL'), 'another');
      applySecrets();
      expect(changedSince(before)).toEqual(['order', 'verify']);
    });
  });

  const kubectl = works('kubectl', ['version', '--client']) ? it : it.skip;
  kubectl('produce the same objects with kubectl', () => {
    const path = join(folder, 'overlays/production');
    const made = parseAllDocuments(
      execFileSync('kubectl', ['kustomize', path], { encoding: 'utf8' }),
    ).map((document) => document.toJS() as KubernetesObject);
    const byName = (all: readonly KubernetesObject[]) =>
      Object.fromEntries(all.map((object) => [nameOf(object), object]));
    expect(byName(made)).toEqual(byName(objects));
  });

  it('migrate each subgraph in a Job, for which its pods wait', () => {
    expect(
      ofKind('Job')
        .map(({ metadata }) => metadata.name)
        .sort(),
    ).toEqual(subgraphNames.map((name) => `migrate-${name}`).sort());
    for (const name of subgraphNames) {
      const program = ['node', 'dist/ops/migrate.js', name];
      const job = find('Job', `migrate-${name}`)?.spec.template.spec.containers[0];
      const [wait] = find('Deployment', name)?.spec.template.spec.initContainers ?? [];
      expect([job.args, wait.args]).toEqual([program, [...program, '--wait']]);
    }
  });
});
