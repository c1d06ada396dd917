import { parsePhoneNumberFromString } from 'libphonenumber-js/core';
import metadata from 'libphonenumber-js/min/metadata';

/** What a user logs in with and is reached by; a phone number is in E.164. */
export type Identifier = { readonly email: string } | { readonly phone: string };

/** A phone number in E.164; null if the text is not one. Its digits may be of any script. */
export function phoneOf(text: string): string | null {
  const digits = text.trim().replace(/\p{Nd}/gu, (digit) => `${digitValue(digit)}`);
  const phone = parsePhoneNumberFromString(digits, { extract: false }, metadata);
  return phone?.isValid() && !phone.ext ? phone.number : null;
}

/** Unicode has the ten digits of each script in a row, and rows that touch begin ten apart. */
function digitValue(digit: string): number {
  const codePoint = digit.codePointAt(0) as number;
  let before = 0;
  while (/\p{Nd}/u.test(String.fromCodePoint(codePoint - before - 1))) before += 1;
  return before % 10;
}

// JavaScript, PostgreSQL and each mail server fold the case of non-ASCII letters differently: one address
// would have several canonical forms, and a rate limit for each.
const ascii = /^[\x21-\x7e]+$/;

/** Parses an e-mail address or a phone number; null if the text is neither. */
export function parseIdentifier(text: string): Identifier | null {
  const trimmed = text.trim();
  if (trimmed.includes('@')) return ascii.test(trimmed) ? { email: trimmed } : null;
  const phone = phoneOf(trimmed);
  return phone ? { phone } : null;
}

/** The canonical form of an identifier. */
export const canonical = (identifier: Identifier): string =>
  'phone' in identifier ? identifier.phone : identifier.email.toLowerCase();
