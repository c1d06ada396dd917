import { address, ConfigError } from '../../subgraphs/shared/config.js';

const prefix = 'SUBGRAPH_URL_';

/** The variable with the address of a subgraph: `SUBGRAPH_URL_` and its name, with `_` for all but letters and digits. */
export const addressVariable = (subgraph: string) =>
  `${prefix}${subgraph.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`;

/**
 * Addresses of subgraphs from the environment, for any subgraph of a supergraph.
 *
 * @returns a function from a subgraph and its address in the supergraph to the address to use; it throws
 *   without a valid address in either
 * @throws ConfigError for a variable that is not an address
 */
export function readAddresses(env: NodeJS.ProcessEnv) {
  const given = new Map(
    Object.entries(env).filter(([name, value]) => name.startsWith(prefix) && value),
  );
  const problems = [...given]
    .filter(([, value]) => !address.safeParse(value).success)
    .map(([name]) => `${name} is malformed (not an address): where a subgraph is`);
  if (problems.length > 0) throw new ConfigError(problems);
  return (subgraph: string, composed: string): string => {
    const variable = addressVariable(subgraph);
    const url = given.get(variable) ?? composed;
    if (address.safeParse(url).success) return url;
    throw new Error(`the address of the subgraph ${subgraph} is missing: set ${variable}`);
  };
}
