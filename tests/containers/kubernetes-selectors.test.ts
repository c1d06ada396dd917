import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, subgraphNames } from '../../ops/subgraph-names.js';
import type { KubernetesObject } from './kustomize.js';
import {
  environmentOf,
  find,
  labelsOf,
  nameOf,
  objects,
  ofKind,
  pods,
  processes,
  type Selector,
  selects,
} from './manifests.js';

interface Port {
  readonly port: number;
  readonly protocol: string;
}
interface Destination {
  readonly ipBlock?: { readonly cidr: string };
}

describe('labels and selectors of the manifests', () => {
  it('connect Services, the Ingress and the ServiceMonitor to ports of pods', () => {
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

  it('let each process reach exactly the processes in its environment', () => {
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

  it('let each subgraph reach the database address used in docs/operations/deploy.md', () => {
    const page = readFileSync(join(root, 'docs/operations/deploy.md'), 'utf8');
    for (const name of subgraphNames) {
      const [rule] = find('NetworkPolicy', `database-of-${name}`)?.spec.egress ?? [];
      const host = rule.to[0].ipBlock.cidr.replace('/32', '');
      expect(page).toContain(`${name}=${host}:${rule.ports[0].port}`);
    }
  });

  it('let only processes with a service outside reach public addresses, and no private ones by it', () => {
    const outside =
      /^(SMS_GATEWAY_URL|SMTP_URL|STRIPE_SECRET_KEY|CHALLENGE_VERIFY_URL|SALE_BEACON_URLS)(_FILE)?$/;
    const callers = processes.filter((name) => {
      const [container] = find('Deployment', name)?.spec.template.spec.containers ?? [];
      return Object.keys(environmentOf(container)).some((variable) => outside.test(variable));
    });
    expect(callers.toSorted()).toEqual(['order', 'user']);
    const isPublic = ({ ipBlock }: Destination) => ipBlock?.cidr === '0.0.0.0/0';
    const policies = ofKind('NetworkPolicy').filter(({ spec }) =>
      (spec.egress ?? []).some(({ to = [] }: { to?: Destination[] }) => to.some(isPublic)),
    );
    expect(policies.map(({ metadata }) => metadata.name)).toEqual(['outside']);
    const [{ podSelector, egress }] = policies.map(({ spec }) => spec) as [
      KubernetesObject['spec'],
    ];
    const reaching = pods.filter((each) => selects(podSelector, labelsOf(each)));
    expect(reaching.map(nameOf).toSorted()).toEqual(['Deployment order', 'Deployment user']);
    const except = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'];
    expect(egress).toEqual([
      {
        to: [{ ipBlock: { cidr: '0.0.0.0/0', except } }],
        ports: [443, 465].map((port) => expect.objectContaining({ port })),
      },
    ]);
  });

  it('let every pod reach DNS: that of the cluster, a cache on the node, and the resolver of the node', () => {
    const { podSelector, egress } = find('NetworkPolicy', 'nothing-but')?.spec ?? {};
    expect(podSelector).toEqual({});
    const [{ to, ports }] = egress;
    expect(ports.map(({ port, protocol }: Port) => `${port} ${protocol}`)).toEqual([
      '53 UDP',
      '53 TCP',
    ]);
    const blocks = to.flatMap(({ ipBlock }: Destination) => ipBlock?.cidr ?? []);
    expect(blocks).toEqual(['169.254.20.10/32', '169.254.169.254/32']);
  });

  it('select pods of migrations only in the policies for their databases', () => {
    const ofJobs = ofKind('Job').map(labelsOf);
    const selectors = [
      ...ofKind('Deployment').flatMap(({ spec }) => [
        spec.selector,
        ...(
          spec.template.spec.affinity?.podAntiAffinity
            .preferredDuringSchedulingIgnoredDuringExecution ?? []
        ).map((term: { podAffinityTerm: { labelSelector: Selector } }) => {
          return term.podAffinityTerm.labelSelector;
        }),
      ]),
      ...ofKind('PodDisruptionBudget').map(({ spec }) => spec.selector),
      ...ofKind('Service').map(({ spec }) => ({ matchLabels: spec.selector })),
    ];
    for (const selector of selectors) {
      expect([selector, ofJobs.some((labels) => selects(selector, labels))]).toEqual([
        selector,
        false,
      ]);
    }
    const policies = ofKind('NetworkPolicy').filter(({ spec }) =>
      ofJobs.some((labels) => selects(spec.podSelector, labels)),
    );
    expect(policies.map(({ metadata }) => metadata.name).sort()).toEqual(
      ['nothing-but', ...subgraphNames.map((name) => `database-of-${name}`)].sort(),
    );
  });

  it('label all objects of the router, so that an upgrade can apply them last', () => {
    const isRouters = ({ metadata }: KubernetesObject) =>
      metadata.labels?.['app.kubernetes.io/name'] === 'router';
    const kinds = ['Deployment', 'HorizontalPodAutoscaler', 'PodDisruptionBudget', 'Service'];
    expect(objects.filter(isRouters).map(nameOf).sort()).toEqual(
      [...kinds, 'NetworkPolicy'].map((kind) => `${kind} router`).sort(),
    );
  });
});
