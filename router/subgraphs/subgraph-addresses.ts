import { address, ConfigError } from '../../subgraphs/shared/config.js';

const prefix = 'SUBGRAPH_URL_';

/** The variable that says where a subgraph is: `SUBGRAPH_URL_` and its name, with `_` for all but letters and digits. */
export const addressVariable = (subgraph: string) =>
  `${prefix}${subgraph.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`;

/**
 * Where the environment says that subgraphs are, whichever a supergraph names.
 *
 * @returns a function that gives the address of one, which the supergraph says is at `composed`; it
 *   throws where neither says one that is any good
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
