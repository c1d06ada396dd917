import type { EntityManager } from '@mikro-orm/postgresql';
import { tokenize } from '../../shared/database/search-text.js';
import { readTerms, similarWords, type Term } from './correct-typos.js';

const termsMax = 8;
const termLengthMax = 40;

/**
 * Translates the text of a search into a `tsquery`. Each of its words matches itself, longer words that
 * begin with it, and its other forms; a word that occurs nowhere matches the words most similar to it.
 *
 * @returns null for a text without words
 */
export async function searchQuery(em: EntityManager, text: string): Promise<string | null> {
  const words = tokenize(text.toLowerCase()).slice(0, termsMax);
  const terms = words.map((word) => [...word].slice(0, termLengthMax).join(''));
  if (terms.length === 0) return null;
  const read = await readTerms(em, terms);
  const significant = read.filter(({ stem }) => stem !== '');
  return (significant.length > 0 ? significant : read).map(queryOf).join(' & ');
}

function queryOf({ term, stem, near }: Term): string {
  const words = similarWords(near).map((word) => `'${word.replace(/['\\]/g, '$&$&')}'`);
  // ts_rank would count a word and its own prefix as one, and rank by the wrong one.
  const others = stem && stem !== `'${term}'` ? [stem] : [];
  const forms = words.length > 0 ? words : [`'${term}':*`, ...others];
  return `(${forms.join(' | ')})`;
}
