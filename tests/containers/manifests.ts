import { join } from 'node:path';
import { root, subgraphNames } from '../../ops/subgraph-names.js';
import { type KubernetesObject, kustomize } from './kustomize.js';

export const folder = join(root, 'docker/kubernetes');
/** All objects of `overlays/production`. */
export const objects = kustomize(join(folder, 'overlays/production'));
export const ofKind = (kind: string) => objects.filter((object) => object.kind === kind);
export const find = (kind: string, name: string) =>
  ofKind(kind).find(({ metadata }) => metadata.name === name);
export const pods = [...ofKind('Deployment'), ...ofKind('Job')];
export const nameOf = ({ kind, metadata }: KubernetesObject) => `${kind} ${metadata.name}`;
export const processes = ['router', ...subgraphNames];

interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly configMapKeyRef: { name: string; key: string } };
}
type Labels = Readonly<Record<string, string>>;
export interface Selector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly { key: string; operator: string; values: string[] }[];
}

export const environmentOf = (container: { env: Variable[] }): Record<string, string> =>
  Object.fromEntries(
    container.env.map(({ name, value, valueFrom }) => {
      const { name: map = '', key = '' } = valueFrom?.configMapKeyRef ?? {};
      const read = value ?? find('ConfigMap', map)?.data?.[key];
      if (read === undefined) throw new Error(`${name} is not in any ConfigMap`);
      return [name, read];
    }),
  );

export const labelsOf = (object: KubernetesObject): Labels => object.spec.template.metadata.labels;
export const selects = ({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Labels) =>
  Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
  matchExpressions.every(({ key, values }) => values.includes(labels[key] ?? ''));
