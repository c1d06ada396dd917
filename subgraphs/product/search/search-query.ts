import type { EntityManager } from '@mikro-orm/postgresql';
import { tokenize } from '../../shared/database/search-text.js';
import { sql } from '../../shared/database/sql.js';

const termsMax = 8;
const termLengthMax = 40;
const wordLengthMin = 3; // shorter ones are not in search_word
const nearMax = 5;
const similarityMin = 0.25;
// How far behind the nearest word another may be and still be meant.
const similarityShare = 0.8;

interface Term {
  readonly term: string;
  /** its English stem as a tsquery; empty for a word such as "the" */
  readonly stem: string;
  readonly near: readonly { readonly word: string; readonly similarity: number }[] | null;
}

/**
 * What a text that somebody searches for means, as a `tsquery`: each of its words, or its
 * beginning, or another form of it; of a word that stands nowhere, the words that resemble it.
 *
 * @returns null for a text without a word
 */
export async function searchQuery(em: EntityManager, text: string): Promise<string | null> {
  const words = tokenize(text.toLowerCase()).slice(0, termsMax);
  const terms = words.map((word) => [...word].slice(0, termLengthMax).join(''));
  if (terms.length === 0) return null;
  const read = await readTerms(em, terms);
  const meaning = read.filter(({ stem }) => stem !== '');
  return (meaning.length > 0 ? meaning : read).map(queryOf).join(' & ');
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
  const meant = (near ?? []).filter(({ similarity }) => similarity >= nearMin);
  const words = meant.map(({ word }) => `'${word.replace(/['\\]/g, '$&$&')}'`);
  // A word beside its own beginning would count as one, and ts_rank would take the wrong one.
  const others = stem && stem !== `'${term}'` ? [stem] : [];
  const forms = words.length > 0 ? words : [`'${term}':*`, ...others];
  return `(${forms.join(' | ')})`;
}
