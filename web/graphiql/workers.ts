// File names of the workers, which contain hashes; inserted by the build.
declare const workerFiles: Readonly<Record<'editor' | 'graphql' | 'json', string>>;

const fileOf = (label: string) =>
  label === 'graphql' || label === 'json' ? workerFiles[label] : workerFiles.editor;

/** Monaco, the editor of GraphiQL, loads its workers from the router. */
Object.assign(globalThis, {
  MonacoEnvironment: {
    getWorker: (_id: string, label: string) => new Worker(fileOf(label), { type: 'module' }),
  },
});
