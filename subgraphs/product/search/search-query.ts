import type { EntityManager } from '@mikro-orm/postgresql';
import { tokenize } from '../../shared/database/search-text.js';
import { sql } from '../../shared/database/sql.js';

const termsMax = 8;
const termLengthMax = 40;
const wordLengthMin = 3; // shorter ones are not in search_word
const nearMax = 5;
const similarityMin = 0.25;
// A word is searched for too if its similarity is at least this share of the nearest word's.
const similarityShare = 0.8;

interface Term {
  readonly term: string;
  /** English stem as a tsquery; empty for a stop word such as "the" */
  readonly stem: string;
  /** the most similar words of the catalogue, if none begins with the term; null: not looked up */
  readonly near: readonly { readonly word: string; readonly similarity: number }[] | null;
}

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

const readTerms = (em: EntityManager, terms: readonly string[]): Promise<Term[]> =>
  sql<Term>(
    em,
    `select term, plainto_tsquery('english', term)::text as stem,
       case when length(term) >= $2 and not exists (select from search_word where word ^@ term)
         then (
           select coalesce(json_agg(nearest), '[]')
           from (select word, similarity(word, term) from search_word
             order by word <-> term limit $3) as nearest
         ) end as near
     from unnest($1::text[]) with ordinality as terms (term, place) order by place`,
    [terms, wordLengthMin, nearMax],
  );

function queryOf({ term, stem, near }: Term): string {
  const [best] = near ?? [];
  const nearMin = Math.max(similarityMin, (best?.similarity ?? 0) * similarityShare);
  const similar = (near ?? []).filter(({ similarity }) => similarity >= nearMin);
  const words = similar.map(({ word }) => `'${word.replace(/['\\]/g, '$&$&')}'`);
  // ts_rank would count a word and its own prefix as one, and rank by the wrong one.
  const others = stem && stem !== `'${term}'` ? [stem] : [];
  const forms = words.length > 0 ? words : [`'${term}':*`, ...others];
  return `(${forms.join(' | ')})`;
}
