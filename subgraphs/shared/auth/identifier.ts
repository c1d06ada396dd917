import { parsePhoneNumberFromString } from 'libphonenumber-js/core';
import metadata from 'libphonenumber-js/min/metadata';

/** By what a user is known and reached; a phone number is E.164. */
export type Identifier = { readonly email: string } | { readonly phone: string };

/** A phone number in E.164; null for what is none. */
export function phoneOf(text: string): string | null {
  const phone = parsePhoneNumberFromString(text.trim(), { extract: false }, metadata);
  return phone?.isValid() && !phone.ext ? phone.number : null;
}

// Beyond ASCII, whoever folds letters folds them in a way of their own: JavaScript, PostgreSQL, and
// each mail server. One address would have several forms, and a limit for each.
const ascii = /^[\x21-\x7e]+$/;

/** Tells an e-mail address from a phone number; null for neither. */
export function parseIdentifier(text: string): Identifier | null {
  const trimmed = text.trim();
  if (trimmed.includes('@')) return ascii.test(trimmed) ? { email: trimmed } : null;
  const phone = phoneOf(trimmed);
  return phone ? { phone } : null;
}

/** The one form of an identifier, however it was written. */
export const canonical = (identifier: Identifier): string =>
  'phone' in identifier ? identifier.phone : identifier.email.toLowerCase();
