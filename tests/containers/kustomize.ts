import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';

/** The parts that tests read; the schemas validate the whole object. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    name: string;
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
  readonly patches?: readonly { readonly path: string }[];
  readonly images?: readonly { name: string; newName: string; newTag: string }[];
}
interface GeneratedMap {
  readonly name: string;
  readonly files?: readonly string[];
  readonly envs?: readonly string[];
  readonly options?: {
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
  'patches',
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
  const { resources = [], configMapGenerator = [], patches = [] } = kustomization;
  const objects = resources.flatMap((path) => readResource(join(folder, path)));
  for (const { path } of patches) {
    for (const patch of readResource(join(folder, path))) annotate(objects, patch);
  }
  for (const map of configMapGenerator) {
    const made = generate(folder, map);
    if (!map.options) addHash(made, objects);
    objects.push(made);
  }
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

function generate(folder: string, map: GeneratedMap): KubernetesObject {
  const { name, files = [], envs = [], options } = map;
  const read = (path: string) => readFileSync(join(folder, path), 'utf8');
  const lines = envs.flatMap((path) => read(path).split('\n'));
  const variables = lines.filter((line) => line !== '' && !line.startsWith('#'));
  const data = [
    ...files.map((path) => [basename(path), read(path)]),
    ...variables.map((line) => [
      line.slice(0, line.indexOf('=')),
      line.slice(line.indexOf('=') + 1),
    ]),
  ];
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, ...(options && { labels: options.labels }) },
    data: Object.fromEntries(data),
  };
}

/** A patch changes annotations of pods only. */
function annotate(objects: readonly KubernetesObject[], patch: KubernetesObject): void {
  const { kind, metadata, spec } = patch;
  const patched = objects.find(
    (each) => each.kind === kind && each.metadata.name === metadata.name,
  );
  if (!patched) throw new Error(`nothing to patch: ${kind} ${metadata.name}`);
  patched.spec.template.metadata.annotations = spec.template.metadata.annotations;
}

/** Adds the hash of its values to the name of a ConfigMap, and to its name in containers. */
function addHash(map: KubernetesObject, objects: readonly KubernetesObject[]): void {
  const { name } = map.metadata;
  map.metadata.name = `${name}-${hashOf(map.data ?? {})}`;
  for (const { spec } of objects) {
    const { containers = [], initContainers = [] } = spec?.template?.spec ?? {};
    for (const { env = [] } of [...containers, ...initContainers]) {
      for (const { valueFrom } of env) {
        if (valueFrom?.configMapKeyRef?.name === name) {
          valueFrom.configMapKeyRef.name = map.metadata.name;
        }
      }
    }
  }
}

const letters: Readonly<Record<string, string>> = { '0': 'g', '1': 'h', '3': 'k', a: 'm', e: 't' };

/** As in kustomize: SHA-256 of the JSON that Go makes, with sorted keys and without the name; letters that spell no words. */
function hashOf(data: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(data).toSorted(([one], [other]) => (one < other ? -1 : 1));
  const json = JSON.stringify({ data: Object.fromEntries(sorted), kind: 'ConfigMap', name: '' });
  const escaped = json.replaceAll(
    /[<>&]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const hash = createHash('sha256').update(escaped).digest('hex').slice(0, 10);
  return [...hash].map((digit) => letters[digit] ?? digit).join('');
}

function readResource(path: string): KubernetesObject[] {
  if (statSync(path).isDirectory()) return kustomize(path);
  return parseAllDocuments(readFileSync(path, 'utf8')).map((document) => {
    if (document.errors.length > 0) throw new Error(`${path}: ${document.errors[0]?.message}`);
    return document.toJS();
  });
}
