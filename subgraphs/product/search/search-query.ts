import type { EntityManager } from '@mikro-orm/postgresql';
import { beginning, searchOf, searchQuery } from '../../shared/text/search-vector.js';
import { readTerms, similarWords, type Term } from './correct-typos.js';

/**
 * Translates the text of a search into a `tsquery`. Each of its words matches itself, longer words that
 * begin with it, and its other forms; a word that no other begins with also matches the words most similar to it.
 * English words such as "the" do not count beside others.
 *
 * @returns null for a text that shows nothing, which is no search
 */
export async function productQuery(
  em: EntityManager,
  text: string | null | undefined,
): Promise<string | null> {
  const tokens = searchOf(text);
  if (tokens === null) return null;
  const words = tokens.filter(({ kind }) => kind === 'word').map((token) => token.text);
  const read = words.length > 0 ? await readTerms(em, words) : [];
  const terms = new Map(read.map((term) => [term.term, term]));
  const isStopWord = (word: string) => terms.get(word)?.stem === '';
  const significant = tokens.filter((token) => token.kind !== 'word' || !isStopWord(token.text));
  return searchQuery(significant.length > 0 ? significant : tokens, (word) =>
    termsOf(word, terms.get(word)),
  );
}

function termsOf(word: string, term: Term | undefined): string[] {
  const similar = similarWords(term?.near ?? null).map((each) => `'${each}'`);
  if (similar.length > 0) return [beginning(word), ...similar];
  // ts_rank would count a word and its own beginning as one, and rank by the wrong one.
  return term?.stem && term.stem !== `'${word}'` ? [beginning(word), term.stem] : [beginning(word)];
}
