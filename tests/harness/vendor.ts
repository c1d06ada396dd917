import type { Person } from './people.js';
import type { GraphQLReply, TestSystem } from './system.js';

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
    /** Returns the first 100 stock levels of a warehouse. */
    levels: async (warehouseId: string) => {
      const { stockLevels } = await must(
        `query ($id: UUID!) { warehouse(id: $id) { stockLevels(first: 100) { edges { node {
           id onHand reserved available incoming isLowStock variant { sku } } } } } }`,
        { id: warehouseId },
      );
      return stockLevels.edges.map(({ node }: { node: object }) => node) as Array<{
        id: string;
        onHand: number;
        reserved: number;
        available: number;
        incoming: number;
        isLowStock: boolean;
        variant: { sku: string };
      }>;
    },
  };
}
