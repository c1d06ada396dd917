import { parsePhoneNumberFromString } from 'libphonenumber-js/core';
import metadata from 'libphonenumber-js/min/metadata';

export type Identifier = { readonly email: string } | { readonly phone: string };

/** Tells an e-mail address from a phone number; a phone number becomes E.164. */
export function parseIdentifier(text: string): Identifier | null {
  const trimmed = text.trim();
  if (trimmed.includes('@')) return { email: trimmed };
  const phone = parsePhoneNumberFromString(trimmed, metadata);
  return phone?.isValid() ? { phone: phone.number } : null;
}
