// The names of the workers' files, written in by the build: they have their hashes in them.
declare const workerFiles: Readonly<Record<'editor' | 'graphql' | 'json', string>>;

const fileOf = (label: string) =>
  label === 'graphql' || label === 'json' ? workerFiles[label] : workerFiles.editor;

/** Where Monaco, the editor within GraphiQL, finds its workers: at the router, as everything else. */
Object.assign(globalThis, {
  MonacoEnvironment: {
    getWorker: (_id: string, label: string) => new Worker(fileOf(label), { type: 'module' }),
  },
});
