import type { Person } from './people.js';
import type { GraphQLReply, TestSystem } from './system.js';
import { eventually } from './wait.js';

/** A stock level, as its owner sees it. */
export interface Level {
  readonly id: string;
  readonly onHand: number;
  readonly reserved: number;
  readonly committed: number;
  readonly unavailable: number;
  readonly buffer: number;
  readonly shortfall: number;
  readonly available: number;
  readonly incoming: number;
  readonly isLowStock: boolean;
  readonly variant: { readonly sku: string };
}

/** Operations of a vendor through the router. */
export function actAs(system: TestSystem, { token }: Person) {
  const reply = (query: string, variables: object = {}): Promise<GraphQLReply> =>
    system.graphql(query, variables, token);
  /** Returns the value of the one root field. @throws if there is an error */
  const must = async (query: string, variables: object = {}) => {
    const { data, errors } = await reply(query, variables);
    if (errors) throw new Error(JSON.stringify(errors));
    // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects
    return Object.values(data)[0] as any;
  };
  const mutation = (name: string, type: string, selection: string) =>
    `mutation ($input: ${type}!) { ${name}(input: $input) { ${selection} } }`;
  /** Returns the first 100 stock levels of a warehouse. */
  const levels = async (warehouseId: string): Promise<Level[]> => {
    const { stockLevels } = await must(
      `query ($id: UUID!) { warehouse(id: $id) { stockLevels(first: 100) { edges { node {
         id onHand reserved committed unavailable buffer shortfall available incoming isLowStock
         variant { sku } } } } } }`,
      { id: warehouseId },
    );
    return stockLevels.edges.map(({ node }: { node: Level }) => node);
  };
  return {
    reply,
    must,
    /** Runs a mutation with one input. */
    mutate: (name: string, type: string, input: object, selection: string) =>
      must(mutation(name, type, selection), { input }),
    /** Returns the error code of a mutation with one input, and the paths of invalid fields. */
    async refused(name: string, type: string, input: object, selection = '__typename') {
      const { errors } = await reply(mutation(name, type, selection), { input });
      const { code, fields } = errors?.[0]?.extensions ?? { code: 'done' };
      return { code, fields: Object.keys(fields ?? {}) };
    },
    levels,
    /** Waits until the first level of a warehouse has these units, as events of orders arrive. */
    untilLevel: (warehouseId: string, units: Partial<Level>) =>
      eventually(
        async () => (await levels(warehouseId))[0],
        (level) =>
          Object.entries(units).every(([state, count]) => level?.[state as keyof Level] === count),
      ),
    /** Sends the stock of a warehouse as a CSV file. */
    async putStock(warehouseId: string, file: string) {
      const url = system.url.replace('/graphql', `/warehouses/${warehouseId}/stock.csv`);
      const headers = { 'content-type': 'text/csv', authorization: `Bearer ${token}` };
      const answer = await fetch(url, { method: 'PUT', headers, body: file });
      // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects
      return { status: answer.status, body: (await answer.json()) as any };
    },
  };
}
