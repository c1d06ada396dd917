import { Field, InterfaceType } from 'type-graphql';
import { Allow } from '../rights/rights.js';

@Allow('parent')
@InterfaceType({
  autoRegisterImplementations: false,
  description:
    'A request that was valid but could not be fulfilled. The fields of the type give the reason.',
})
export abstract class Refusal {
  @Field(() => String, { description: 'One sentence for the end user.' })
  message!: string;
}

/** Creates a member of a result union; its class determines the GraphQL type. */
export function result<T extends object>(type: new () => T, fields: NoInfer<T>): T {
  return Object.assign(new type(), fields);
}
