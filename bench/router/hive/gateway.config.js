import { defineConfig } from '@graphql-hive/gateway';

const { CALLER_HEADER = '', CALLER_CREDENTIALS = '' } = process.env;

/** Hive Gateway with its defaults. The subgraphs respond only to known callers. */
export const gatewayConfig = defineConfig({
  transportEntries: { '*.http': { headers: [[CALLER_HEADER, CALLER_CREDENTIALS]] } },
});
