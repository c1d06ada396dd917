import Big from 'big.js';
import { ValidateBy, type ValidationArguments, type ValidationOptions } from 'class-validator';
import { phoneOf } from '../auth/identifier.js';
import { amountScale, findCurrencyProblem, finestStep, isMultiple } from '../currencies.js';
import { hasVisibleText } from '../text.js';

type Options = Pick<ValidationOptions, 'each'>;

const rule = (
  name: string,
  message: string | ((text: string) => string),
  isValid: (text: string) => boolean,
  options: Options,
) =>
  ValidateBy(
    { name, validator: { validate: (value) => typeof value === 'string' && isValid(value) } },
    { ...options, message: typeof message === 'string' ? message : messageOf(message) },
  );
const messageOf =
  (message: (text: string) => string) =>
  ({ value }: ValidationArguments) =>
    message(String(value));

/** As PostgreSQL counts them: by code point. */
const isAtMost = (text: string, max: number) =>
  text.length <= max || (text.length <= 2 * max && [...text].length <= max);

/** Text in any number of lines: 1 to `max` characters, one of them visible. */
export const Text = (max: number, options: Options = {}): PropertyDecorator =>
  rule(
    'text',
    `must have 1 to ${max} characters, at least one of them visible`,
    (text) => isAtMost(text, max) && hasVisibleText(text),
    options,
  );

const lineBreakOrControl = /[\p{Cc}\p{Zl}\p{Zp}]/u;

/** A single line of text: 1 to `max` characters, one of them visible, no control characters. */
export const OneLine = (max: number, options: Options = {}): PropertyDecorator =>
  rule(
    'oneLine',
    `must be a single line of 1 to ${max} characters, at least one of them visible`,
    (text) => isAtMost(text, max) && hasVisibleText(text) && !lineBreakOrControl.test(text),
    options,
  );

export const phoneMessage = 'must be a phone number with its country code, such as +12025550143';

/** A phone number. To be stored as `phoneOf` returns it. */
export const Phone = (): PropertyDecorator =>
  rule('phone', phoneMessage, (text) => phoneOf(text) !== null, {});

/** A currency of the table. */
export const CurrencyCode = (): PropertyDecorator =>
  rule(
    'currencyCode',
    (code) => findCurrencyProblem(code) ?? '',
    (code) => findCurrencyProblem(code) === null,
    {},
  );

/**
 * An amount of 0 or more that some currency can express; the one that it is in has to be checked too
 * (`findAmountProblem`).
 *
 * @param digitsMax digits before the decimal point
 */
export function Amount(digitsMax: number): PropertyDecorator {
  const pattern = new RegExp(`^\\d{1,${digitsMax}}(\\.\\d{1,6})?$`);
  return rule(
    'amount',
    (text) =>
      pattern.test(text)
        ? `must be a multiple of ${finestStep}, such as ${new Big(text).toFixed(amountScale)}`
        : `must be 0 or more, with at most ${digitsMax} digits before the decimal point`,
    (text) => pattern.test(text) && isMultiple(text, finestStep),
    {},
  );
}
