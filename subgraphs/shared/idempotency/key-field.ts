import { IsOptional, Length } from 'class-validator';
import { Arg, Field } from 'type-graphql';
import { badInput } from '../errors.js';

const keyMax = 255;

const options = {
  nullable: true,
  description: `Chosen by the client, 1 to ${keyMax} characters. A repeated request with the same key is not processed again for 24 hours, and gets the same answer.`,
};

/** The idempotency key of a mutation, as a field of its input. */
export function KeyField(): PropertyDecorator {
  return (target, property) => {
    Field(() => String, options)(target, property as string);
    IsOptional()(target, property as string);
    Length(1, keyMax)(target, property as string);
  };
}

/** The idempotency key of a mutation without an input, as an argument. Its length is checked by `readKey`. */
export const KeyArg = () => Arg('idempotencyKey', () => String, options);

/** @param name of the argument or header @throws `BAD_USER_INPUT` for a key of another length */
export function readKey(key: string | null | undefined, name = 'idempotencyKey'): string | null {
  if (typeof key !== 'string') return null;
  if (key.length >= 1 && key.length <= keyMax) return key;
  throw badInput({ [name]: `must have 1 to ${keyMax} characters` });
}
