import { Field, InterfaceType } from 'type-graphql';
import { Allow } from '../rights/rights.js';

@Allow('parent')
@InterfaceType({
  autoRegisterImplementations: false,
  description:
    'An outcome that is no fault, but not what was asked for either; the fields say why.',
})
export abstract class Refusal {
  @Field(() => String, { description: 'One sentence that may be shown to a person.' })
  message!: string;
}

/** Fills a refusal or another plain result of a union, so that its type can be told by its class. */
export function result<T extends object>(type: new () => T, fields: NoInfer<T>): T {
  return Object.assign(new type(), fields);
}
