import { ValidateBy, type ValidationOptions } from 'class-validator';
import { phoneOf } from '../auth/identifier.js';
import { hasVisibleText } from '../text.js';

type Options = Pick<ValidationOptions, 'each'>;

const rule = (
  name: string,
  message: string,
  isValid: (text: string) => boolean,
  options: Options,
) =>
  ValidateBy(
    { name, validator: { validate: (value) => typeof value === 'string' && isValid(value) } },
    { ...options, message },
  );

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
