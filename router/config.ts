import { z } from 'zod';
import {
  address,
  type Config,
  processVariables,
  secretOf,
  setting,
  text,
  tokenVariables,
  type Variable,
} from '../subgraphs/shared/config.js';

const urlOf = (name: string): Variable<string> =>
  setting(
    z.union([z.literal(''), address]),
    '',
    `where the ${name} subgraph is, if not where the supergraph says`,
  );

export const variables = {
  ...processVariables(4000),
  ...secretOf('router'),
  ...tokenVariables,
  SUPERGRAPH_PATH: setting(text, 'schema/supergraph.graphql', 'the composed supergraph'),
  SUBGRAPH_URL_USER: urlOf('user'),
  SUBGRAPH_URL_PRODUCT: urlOf('product'),
  SUBGRAPH_URL_SHOP: urlOf('shop'),
  SUBGRAPH_URL_WAREHOUSE: urlOf('warehouse'),
  SUBGRAPH_URL_ORDER: urlOf('order'),
};
export type RouterConfig = Config<typeof variables>;
