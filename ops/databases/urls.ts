import { z } from 'zod';
import { address, loadConfig, setting } from '../../subgraphs/shared/config.js';
import { readRunningSystem, stateFolder } from '../running-system.js';
import { type SubgraphName, subgraphNames } from '../subgraph-names.js';

export type DatabaseUrls = Readonly<Record<SubgraphName, string>>;

const variableOf = (name: string) => `${name.toUpperCase()}_DATABASE_URL`;

/** The variables of `npm run seed`, `rebuild` and `verify`, for a system other than that of `npm start`. */
export const databaseVariables = Object.fromEntries(
  subgraphNames.map((name) => {
    const about = `the database of the ${name} subgraph, if not that of npm start`;
    return [variableOf(name), setting(z.union([z.literal(''), address]), '', about)];
  }),
);

/** The databases in the environment, or those of the system that `npm start` runs. */
export function databasesToUse(env = process.env): DatabaseUrls {
  const given = loadConfig(databaseVariables, env);
  const running = readRunningSystem(stateFolder())?.databases;
  const urls = subgraphNames.map((name) => [name, given[variableOf(name)] || running?.[name]]);
  if (urls.every(([, url]) => url)) return Object.fromEntries(urls) as DatabaseUrls;
  throw new Error(
    `No running system found. Start it with npm start, or set ${subgraphNames.map(variableOf).join(', ')}.`,
  );
}

/** As `databasesToUse`, for a program: exits with one sentence if there are none. */
export function databasesOrExit(): DatabaseUrls {
  try {
    return databasesToUse();
  } catch (error) {
    console.error((error as Error).message);
    return process.exit(1);
  }
}
