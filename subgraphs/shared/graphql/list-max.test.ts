import { type GraphQLSchema, graphql } from 'graphql';
import { Field, ObjectType, Query, Resolver } from 'type-graphql';
import { Allow } from '../rights/rights.js';
import { ListMax, listLengths } from './list-max.js';
import { buildPlainSchema } from './schema.js';

@Allow('anyone')
@ObjectType()
class Shelf {
  @ListMax(2)
  @Field(() => [String])
  books!: string[];
}

@Resolver()
class ShelfResolver {
  @Allow('anyone')
  @Query(() => Shelf)
  short(): Shelf {
    return { books: ['a', 'b'] };
  }

  @Allow('anyone')
  @Query(() => Shelf)
  long(): Shelf {
    return { books: ['a', 'b', 'c'] };
  }

  @Allow('anyone')
  @ListMax(1, ['Query.short'])
  @Query(() => [String])
  async later(): Promise<string[]> {
    return ['a', 'b'];
  }
}

@Resolver()
class WithoutLengthResolver {
  @Allow('anyone')
  @Query(() => [String])
  names(): string[] {
    return [];
  }
}

describe('a list without pages', () => {
  let schema: GraphQLSchema;
  beforeAll(async () => {
    schema = await buildPlainSchema({ resolvers: [ShelfResolver], references: {} });
  });

  it('must state its greatest length: the schema cannot be built otherwise', async () => {
    const source = { resolvers: [WithoutLengthResolver] as never, references: {} };
    await expect(buildPlainSchema(source)).rejects.toThrow(
      'lists without a greatest length (@ListMax): Query.names',
    );
  });

  it('is returned up to that length', async () => {
    const { data, errors } = await graphql({ schema, source: '{ short { books } }' });
    expect(errors).toBeUndefined();
    expect(data).toMatchObject({ short: { books: ['a', 'b'] } });
  });

  it.each([
    ['{ long { books } }', 'Shelf.books has 3 entries, more than its greatest length of 2'],
    ['{ later }', 'Query.later has 2 entries, more than its greatest length of 1'],
  ])('is an error beyond it, never cut: %s', async (source, message) => {
    const { data, errors } = await graphql({ schema, source });
    expect(data).toBeNull();
    expect(errors?.map((error) => error.message)).toEqual([message]);
  });

  it('has its length among the facts of the schema', () => {
    expect(Object.fromEntries(listLengths(schema))).toEqual({
      'Shelf.books': { max: 2 },
      'Query.later': { max: 1, together: ['Query.short'] },
    });
  });
});
