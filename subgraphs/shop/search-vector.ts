import { separateWordsSql, tokenize } from '../shared/database/search-text.js';
import { badInput } from '../shared/errors.js';

/** SQL for the words of a text; names are in many languages, so words are taken as they are. */
export const wordsOf = (text: string) => `to_tsvector('simple', ${separateWordsSql(text)})`;

const lengthMax = 100;

/**
 * What a text must match to be found (`to_tsquery`): each word of the search, or its beginning.
 *
 * @returns null where nothing is searched for
 * @throws `BAD_USER_INPUT` for a search of more than 100 characters, or of no letter and no digit
 */
export function wordsQuery(search: string | null | undefined): string | null {
  if (search === null || search === undefined) return null;
  if (search.length > lengthMax) {
    throw badInput({ search: `must have at most ${lengthMax} characters` });
  }
  const words = tokenize(search);
  if (words.length === 0) throw badInput({ search: 'must have a letter or a digit' });
  return words.map((word) => `${word}:*`).join(' & ');
}
