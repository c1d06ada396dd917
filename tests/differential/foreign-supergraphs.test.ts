import { checkOperations } from './check.js';
import { supergraphOf } from './executions.js';
import { foreignSupergraphs } from './foreign-supergraphs.js';

const operations = 400;

describe('the executor, Apollo’s and a monolith answer alike over a supergraph with', () => {
  it.each(Object.entries(foreignSupergraphs))('%s', async (_, sdls) => {
    const { byApollo, different } = await checkOperations(sdls, supergraphOf(sdls), operations);
    expect(different.slice(0, 2).join('\n\n')).toBe('');
    expect(byApollo).toBeGreaterThan(operations / 16);
  });
});
