import { Directive, Field, FieldResolver, ObjectType, Query, Resolver } from 'type-graphql';
import { buildFederatedSchema } from '../graphql/schema.js';
import { Allow } from './rights.js';

@ObjectType()
class Unruled {
  @Field(() => String)
  forgotten!: string;

  @Allow('parent')
  @Field(() => String)
  stated!: string;
}

@Allow('anyone')
@Directive('@key(fields: "id")')
@ObjectType()
class Thing {
  @Field(() => String)
  id!: string;

  @Allow('parent')
  @Field(() => String)
  leftToParent!: string;
}

@Resolver(() => Thing)
class ThingResolver {
  @Allow('anyone')
  @Query(() => Thing)
  thing() {
    return { id: '1', leftToParent: '' };
  }

  @Query(() => Unruled)
  unruled() {
    return {};
  }

  @Directive('@inaccessible')
  @Allow('signed-in')
  @Query(() => String)
  hiddenOnly() {
    return '';
  }

  @Allow('caller:order')
  @Query(() => String)
  forCallersOnly() {
    return '';
  }

  @FieldResolver(() => String)
  resolved() {
    return '';
  }
}

describe('a schema is not built', () => {
  it('while the rules of a field are missing or conflict', async () => {
    const built = buildFederatedSchema({ resolvers: [ThingResolver], references: {} });
    const { message } = await built.then(
      () => new Error('it was built'),
      (error: Error) => error,
    );
    expect(message.split('\n')).toEqual([
      'Missing or conflicting access rules:',
      'Query.unruled has no rule: add @Allow to it or to its type',
      'Query.hiddenOnly must be both @inaccessible and for callers, or neither',
      'Query.forCallersOnly must be both @inaccessible and for callers, or neither',
      'Thing.leftToParent must not be left to its parent: it can be reached without one',
      'Thing.resolved has no rule: add @Allow to it or to its type',
      'Unruled.forgotten has no rule: add @Allow to it or to its type',
    ]);
  });
});
