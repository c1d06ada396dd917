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
  it('while a field states no rule, or one that cannot be meant', async () => {
    const built = buildFederatedSchema({ resolvers: [ThingResolver], references: {} });
    const { message } = await built.then(
      () => new Error('it was built'),
      (error: Error) => error,
    );
    expect(message.split('\n')).toEqual([
      'Who may have what is not clear:',
      'Query.unruled states no rule: give it or its type an @Allow',
      'Query.hiddenOnly has to be both @inaccessible and for callers, or neither',
      'Query.forCallersOnly has to be both @inaccessible and for callers, or neither',
      'Thing.leftToParent cannot be left to its parent: it is reached without one',
      'Thing.resolved states no rule: give it or its type an @Allow',
      'Unruled.forgotten states no rule: give it or its type an @Allow',
    ]);
  });
});
