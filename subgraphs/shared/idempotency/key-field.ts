import { IsOptional, Length } from 'class-validator';
import { Arg, Field } from 'type-graphql';
import { badInput } from '../errors.js';

const keyMax = 255;

const optionsFor = (period: string) => ({
  nullable: true,
  description: `Chosen by the client, 1 to ${keyMax} characters. A repeated request with the same key is not processed again ${period}, and gets the same answer.`,
});
const aDay = 'for 24 hours';

/** As `KeyField`, for a mutation that must not be sent without a key. */
export function RequiredKeyField(): PropertyDecorator {
  return (target, property) => {
    Field(() => String, { ...optionsFor(aDay), nullable: false })(target, property as string);
    Length(1, keyMax)(target, property as string);
  };
}

/**
 * The idempotency key of a mutation, as a field of its input.
 *
 * @param period how long its answer is kept
 */
export function KeyField(period = aDay): PropertyDecorator {
  return (target, property) => {
    Field(() => String, optionsFor(period))(target, property as string);
    IsOptional()(target, property as string);
    Length(1, keyMax)(target, property as string);
  };
}

/** The idempotency key of a mutation without an input, as an argument. Its length is checked by `readKey`. */
export const KeyArg = (period = aDay) => Arg('idempotencyKey', () => String, optionsFor(period));

/** @param name of the argument or header @throws `BAD_USER_INPUT` for a key of another length */
export function readKey(key: string | null | undefined, name = 'idempotencyKey'): string | null {
  if (typeof key !== 'string') return null;
  if (key.length >= 1 && key.length <= keyMax) return key;
  throw badInput({ [name]: `must have 1 to ${keyMax} characters` });
}
