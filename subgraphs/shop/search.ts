import { badInput } from '../shared/errors.js';
import { searchOf, searchQuery, searchVector } from '../shared/text/search-vector.js';
import { tokensOf } from '../shared/text/tokens.js';

// Names are in many languages: words are neither stemmed nor dropped.
/** The search vector of a shop. Every writer of its name stores it. */
export const shopWords = (name: string): string =>
  searchVector([{ tokens: tokensOf(name), weight: 'A' }]);

/** The search vector of an offer: name of the variant, and SKU. Every writer of the name stores it. */
export const offerWords = (name: string, sku: string): string =>
  searchVector([{ tokens: [...tokensOf(name), ...tokensOf(sku)], weight: 'A' }]);

const lengthMax = 100;

/**
 * The `tsquery` that matches all words of a search, and longer words that begin with them.
 *
 * @returns null for a text that shows nothing, which is no search
 * @throws `BAD_USER_INPUT` for a search of more than 100 characters
 */
export function nameQuery(search: string | null | undefined): string | null {
  if (search && search.length > lengthMax)
    throw badInput({ search: `must have at most ${lengthMax} characters` });
  const tokens = searchOf(search);
  return tokens && searchQuery(tokens);
}
