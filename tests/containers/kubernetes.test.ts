import { join } from 'node:path';
import { readers, secretFiles } from '../../dev/secrets/secret-files.js';
import { root, subgraphNames } from '../../dev/services.js';
import { makeSecrets } from '../../dev/state.js';
import { validateObject } from './kubernetes-schemas.js';
import { type KubernetesObject, kustomize } from './kustomize.js';
import { loadAsInProduction, missingVariables, unknownVariables } from './process-environment.js';

const folder = join(root, 'docker/kubernetes');
const objects = kustomize(join(folder, 'overlays/production'));
const ofKind = (kind: string) => objects.filter((object) => object.kind === kind);
const find = (kind: string, name: string) =>
  ofKind(kind).find(({ metadata }) => metadata.name === name);
const pods = [...ofKind('Deployment'), ...ofKind('Job')];
const nameOf = ({ kind, metadata }: KubernetesObject) => `${kind} ${metadata.name}`;
const processes = ['router', ...subgraphNames];
// Given by others than us: of the gateways and the payment provider.
const foreignSecrets = ['SMS_AUTH_TOKEN', 'SMTP_URL', 'STRIPE_SECRET_KEY', 'STRIPE_WEBHOOK_SECRET'];

interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly configMapKeyRef: { name: string; key: string } };
}
type Labels = Readonly<Record<string, string>>;
interface Selector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly { key: string; operator: string; values: string[] }[];
}

const environmentOf = (container: { env: Variable[] }): Record<string, string> =>
  Object.fromEntries(
    container.env.map(({ name, value, valueFrom }) => {
      const { name: map = '', key = '' } = valueFrom?.configMapKeyRef ?? {};
      const read = value ?? find('ConfigMap', map)?.data?.[key];
      if (read === undefined) throw new Error(`${name} is in no ConfigMap`);
      return [name, read];
    }),
  );

const labelsOf = (object: KubernetesObject): Labels => object.spec.template.metadata.labels;
const selects = ({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Labels) =>
  Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
  matchExpressions.every(({ key, values }) => values.includes(labels[key] ?? ''));

describe('the manifests of Kubernetes', () => {
  it.each([...kustomize(join(folder, 'base')), ...objects].map((each) => [nameOf(each), each]))(
    '%s is as its schema says',
    (_, object) => {
      expect(() => validateObject(object as KubernetesObject)).not.toThrow();
    },
  );

  it('a field that no schema has is refused', () => {
    const service = find('Service', 'order') as KubernetesObject;
    const misspelt = { ...service, spec: { ...service.spec, selektor: {} } };
    expect(() => validateObject(misspelt)).toThrow('must NOT have additional properties');
  });

  it('name each object once, all in one namespace, and every image in the registry', () => {
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
    '%s sets what its program needs in production, and nothing that it does not know',
    (_, object) => {
      const { containers, initContainers = [] } = object.spec.template.spec;
      for (const container of [...containers, ...initContainers]) {
        const isMigration = container.args?.[1]?.endsWith('migrate.js');
        const program = isMigration ? 'migrate' : container.name;
        const environment = environmentOf(container);
        expect(unknownVariables(program, environment)).toEqual([]);
        expect(missingVariables(program, environment)).toEqual([]);
      }
    },
  );

  it('are configurations that the processes start with', async () => {
    const secrets = secretFiles(await makeSecrets(), 'db:5432');
    for (const name of processes) {
      const [container] = find('Deployment', name)?.spec.template.spec.containers ?? [];
      const environment = Object.fromEntries(
        Object.entries(environmentOf(container)).map(([variable, value]) => {
          const key = value.replace('/run/secrets/', '');
          if (!value.startsWith('/run/secrets/')) return [variable, value];
          const foreign = key === 'SMTP_URL' ? 'smtps://u:p@mail.example.com' : 'of-the-provider';
          return [key, foreignSecrets.includes(key) ? foreign : (secrets[name]?.[key] ?? '')];
        }),
      );
      expect(() => loadAsInProduction(name, environment)).not.toThrow();
    }
  });

  it('refer to Secrets that dev/secrets makes, and to keys that are in them', async () => {
    const made = secretFiles(await makeSecrets(), 'db:5432');
    for (const object of pods) {
      const { volumes, containers } = object.spec.template.spec;
      const { secretName, items } = volumes[0].secret;
      const keys = Object.keys(made[secretName.replace('holdfast-', '')] ?? {});
      const mounted = items ? items.map(({ path }: { path: string }) => path) : keys;
      for (const { key } of items ?? []) expect(keys).toContain(key);
      for (const [variable, path] of Object.entries(environmentOf(containers[0]))) {
        if (!variable.endsWith('_FILE')) continue;
        const key = path.replace('/run/secrets/', '');
        expect([...mounted, ...foreignSecrets]).toContain(key);
      }
    }
  });

  it('have for each process replicas that grow, that are apart, and of which one may go', () => {
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
      // preStop, then the 10 s that a process has to end.
      expect(terminationGracePeriodSeconds).toBeGreaterThan(15);
      const [{ livenessProbe, resources }] = containers;
      expect(livenessProbe.httpGet).toEqual({ path: '/healthz', port: 'ops' });
      expect(resources).toMatchObject({ requests: { cpu: expect.any(String) }, limits: {} });
    }
  });

  it('put a router to use once all subgraphs answered it, and keep it when one no longer does', () => {
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
      // A database that starts again takes all replicas with it.
      expect(ready.periodSeconds * ready.failureThreshold).toBeGreaterThanOrEqual(30);
    }
  });

  it('have Services, an Ingress and a ServiceMonitor that lead to ports of pods', () => {
    for (const { metadata, spec } of ofKind('Service')) {
      const deployments = ofKind('Deployment').filter((each) =>
        selects({ matchLabels: spec.selector }, labelsOf(each)),
      );
      expect(deployments.map((each) => each.metadata.name)).toEqual([metadata.name]);
      const ports = deployments[0]?.spec.template.spec.containers[0].ports;
      for (const { name, port, targetPort } of spec.ports) {
        expect(ports).toContainEqual({ name: targetPort, containerPort: port });
        expect(name).toBe(targetPort);
      }
    }
    const [ingress] = ofKind('Ingress');
    const { service } = ingress?.spec.rules[0].http.paths[0].backend ?? {};
    expect(find('Service', service.name)?.spec.ports).toContainEqual(
      expect.objectContaining({ name: service.port.name }),
    );
    const [monitor] = ofKind('ServiceMonitor');
    const watched = ofKind('Service').filter((each) =>
      selects(monitor?.spec.selector, each.metadata.labels ?? {}),
    );
    expect(watched.map(({ metadata }) => metadata.name).sort()).toEqual(
      [...processes, 'verify'].sort(),
    );
    for (const each of watched) {
      expect(each.spec.ports).toContainEqual(
        expect.objectContaining({ name: monitor?.spec.endpoints[0].port }),
      );
    }
  });

  it('let each process reach those whom its variables name, and nobody else', () => {
    interface Peer {
      readonly podSelector?: Selector;
    }
    interface Rule {
      readonly to?: readonly Peer[];
      readonly from?: readonly Peer[];
      readonly ports: readonly { port: number }[];
    }
    const deployments = processes.map((name) => find('Deployment', name) as KubernetesObject);
    const allowed = (direction: 'ingress' | 'egress') => {
      const pairs = new Set<string>();
      for (const of of deployments) {
        const policies = ofKind('NetworkPolicy').filter((policy) =>
          selects(policy.spec.podSelector, labelsOf(of)),
        );
        const rules: Rule[] = policies.flatMap((policy) => policy.spec[direction] ?? []);
        for (const { to = [], from = [], ports } of rules) {
          for (const { podSelector } of [...to, ...from]) {
            if (!podSelector) continue;
            for (const other of deployments.filter((each) =>
              selects(podSelector, labelsOf(each)),
            )) {
              const ends = [of.metadata.name, other.metadata.name];
              const [caller, called] = direction === 'egress' ? ends : ends.reverse();
              for (const { port } of ports) pairs.add(`${caller} → ${called}:${port}`);
            }
          }
        }
      }
      return [...pairs].sort();
    };
    const named = deployments.flatMap((deployment) => {
      const urls = Object.values(environmentOf(deployment.spec.template.spec.containers[0]))
        .filter((value) => /^http:\/\/[a-z]+:\d+\//.test(value))
        .map((value) => new URL(value).host);
      return urls.map((host) => `${deployment.metadata.name} → ${host}`);
    });
    const expected = [...new Set(named)].sort();
    expect(allowed('egress')).toEqual(expected);
    expect(allowed('ingress')).toEqual(expected);
  });

  it('migrate each subgraph by a Job, and let its pods wait for that', () => {
    expect(
      ofKind('Job')
        .map(({ metadata }) => metadata.name)
        .sort(),
    ).toEqual(subgraphNames.map((name) => `migrate-${name}`).sort());
    for (const name of subgraphNames) {
      const program = ['node', 'dist/subgraphs/shared/migrate.js', name];
      const job = find('Job', `migrate-${name}`)?.spec.template.spec.containers[0];
      const [wait] = find('Deployment', name)?.spec.template.spec.initContainers ?? [];
      expect([job.args, wait.args]).toEqual([program, [...program, '--wait']]);
    }
  });
});
