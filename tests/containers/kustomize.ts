import { readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';

/** The parts that tests read; the schemas validate the whole object. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects
  readonly spec?: any;
  readonly data?: Readonly<Record<string, string>>;
}

interface Kustomization {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly resources?: readonly string[];
  readonly configMapGenerator?: readonly GeneratedMap[];
  readonly images?: readonly { name: string; newName: string; newTag: string }[];
}
interface GeneratedMap {
  readonly name: string;
  readonly files: readonly string[];
  readonly options: {
    readonly disableNameSuffixHash: true;
    readonly labels: Readonly<Record<string, string>>;
  };
}
const knownFields = [
  'apiVersion',
  'kind',
  'namespace',
  'resources',
  'configMapGenerator',
  'images',
];

/**
 * Emulates `kubectl kustomize` for the few features that the manifests use.
 *
 * @throws Error for any other field
 */
export function kustomize(folder: string): KubernetesObject[] {
  const text = readFileSync(join(folder, 'kustomization.yaml'), 'utf8');
  const kustomization: Kustomization = parse(text);
  const unknown = Object.keys(kustomization).filter((field) => !knownFields.includes(field));
  if (unknown.length > 0) throw new Error(`${folder} uses unsupported fields: ${unknown}`);
  const { resources = [], configMapGenerator = [] } = kustomization;
  const objects = [
    ...resources.flatMap((path) => readResource(join(folder, path))),
    ...configMapGenerator.map((map) => generate(folder, map)),
  ];
  for (const object of objects) {
    if (kustomization.namespace && object.kind !== 'Namespace') {
      object.metadata.namespace = kustomization.namespace;
    }
    const { containers = [], initContainers = [] } = object.spec?.template?.spec ?? {};
    for (const container of [...containers, ...initContainers]) {
      const image = kustomization.images?.find(({ name }) => name === container.image);
      if (image) container.image = `${image.newName}:${image.newTag}`;
    }
  }
  return objects;
}

function generate(folder: string, { name, files, options }: GeneratedMap): KubernetesObject {
  const data = files.map((path) => [basename(path), readFileSync(join(folder, path), 'utf8')]);
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, labels: options.labels },
    data: Object.fromEntries(data),
  };
}

function readResource(path: string): KubernetesObject[] {
  if (statSync(path).isDirectory()) return kustomize(path);
  return parseAllDocuments(readFileSync(path, 'utf8')).map((document) => {
    if (document.errors.length > 0) throw new Error(`${path}: ${document.errors[0]?.message}`);
    return document.toJS();
  });
}
