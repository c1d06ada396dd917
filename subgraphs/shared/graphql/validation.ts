import Big from 'big.js';
import { ValidateBy, type ValidationArguments, type ValidationOptions } from 'class-validator';
import { phoneOf } from '../auth/identifier.js';
import { amountScale, findCurrencyProblem, finestStep, isMultiple } from '../currencies.js';
import { findRefusedCharacter } from '../text/refused-characters.js';
import { hasVisibleText } from '../text/visible-text.js';

type Options = Pick<ValidationOptions, 'each'> & {
  /** what somebody logs in with: it stays as it was sent */
  readonly isIdentity?: true;
};

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

const textRule = (name: string, max: number, lines: boolean, options: Options) => {
  const kind = lines ? 'have' : 'be a single line of';
  const validated = rule(
    name,
    (text) => {
      const rules = `must ${kind} 1 to ${max} characters, at least one of them visible`;
      const refused = findRefusedCharacter(text, lines);
      return refused ? `${rules}, and must not have ${refused}` : rules;
    },
    (text) =>
      isAtMost(text, max) && hasVisibleText(text) && findRefusedCharacter(text, lines) === null,
    options,
  );
  return (target: object, property: string | symbol) => {
    validated(target, property);
    if (!options.isIdentity) composedOf(target).add(property);
  };
};

/** The texts of a class of inputs. */
const composed = new WeakMap<object, Set<string | symbol>>();

function composedOf(prototype: object): Set<string | symbol> {
  const known = composed.get(prototype) ?? new Set();
  composed.set(prototype, known);
  return known;
}

function isComposed(input: object, property: string): boolean {
  for (let type = Object.getPrototypeOf(input); type; type = Object.getPrototypeOf(type))
    if (composed.get(type)?.has(property)) return true;
  return false;
}

/** Composes the texts of an input (NFC): keyboards send the same text in different normal forms. */
export function composeTexts(input: unknown): void {
  if (input === null || typeof input !== 'object' || input instanceof Date) return;
  for (const [name, value] of Object.entries(input)) {
    if (!isComposed(input, name)) composeTexts(value);
    else Object.assign(input, { [name]: composedText(value) });
  }
}

const composedText = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(composedText);
  return typeof value === 'string' ? value.normalize('NFC') : value;
};

/** Text in any number of lines: 1 to `max` characters, one of them visible, none refused. */
export const Text = (max: number, options: Options = {}): PropertyDecorator =>
  textRule('text', max, true, options);

/** A single line of text: 1 to `max` characters, one of them visible, none refused. */
export const OneLine = (max: number, options: Options = {}): PropertyDecorator =>
  textRule('oneLine', max, false, options);

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
