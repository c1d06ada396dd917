import { separateWordsSql, tokenize } from '../shared/database/search-text.js';
import { badInput } from '../shared/errors.js';

/** SQL for the search vector of a text. Names are in many languages: words are neither stemmed nor dropped. */
export const searchVectorSql = (text: string) => `to_tsvector('simple', ${separateWordsSql(text)})`;

const lengthMax = 100;

/**
 * The argument of `to_tsquery` that matches all words of a search, and longer words that begin with them.
 *
 * @returns null without a search
 * @throws `BAD_USER_INPUT` for a search of more than 100 characters, or without a letter or digit
 */
export function searchQuery(search: string | null | undefined): string | null {
  if (search === null || search === undefined) return null;
  if (search.length > lengthMax) {
    throw badInput({ search: `must have at most ${lengthMax} characters` });
  }
  const words = tokenize(search);
  if (words.length === 0) throw badInput({ search: 'must have a letter or a digit' });
  return words.map((word) => `${word}:*`).join(' & ');
}
