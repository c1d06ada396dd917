import { join } from 'node:path';
import { root } from '../../../ops/subgraph-names.js';
import type { PeerFolder } from '../../install.js';

const folder = join(root, 'bench/router/hive');
export const hiveFolder: PeerFolder = { folder, name: 'Hive Gateway', megabytes: 500 };

/** The arguments of Node that start Hive Gateway, with its default planner or with its Rust planner. */
export function hiveArguments(supergraph: string, port: number, planner: 'default' | 'rust') {
  return [
    join(folder, 'node_modules/@graphql-hive/gateway/dist/bin.js'),
    ...['supergraph', supergraph, '--host', '127.0.0.1', '--port', `${port}`],
    ...['--config-path', join(folder, 'gateway.config.js')],
    ...(planner === 'rust' ? ['--hive-router-runtime'] : []),
  ];
}
