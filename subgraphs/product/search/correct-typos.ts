import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../shared/database/sql.js';
import { isCorrectable, isKnown } from './vocabulary.js';

const nearMax = 5;
/** Words of a search that are looked at for typing errors: each may read much of the vocabulary. */
const correctedMax = 8;
const similarityMin = 0.25;
// A word is searched for too if its similarity is at least this share of the nearest word's.
const similarityShare = 0.8;

export interface Term {
  readonly term: string;
  /** English stem as a tsquery; empty for a stop word such as "the"; null for other letters than a to z */
  readonly stem: string | null;
  /** the most similar words of the catalogue, if none begins with the term; null: not looked up */
  readonly near: readonly { readonly word: string; readonly similarity: number }[] | null;
}

/** Sorts after all characters of a word, in the collation of words. */
const lastCodePoint = 0x10ffff;

/**
 * Reads the stem of each term, and for a term that no word of the catalogue begins with, similar words. Words that are
 * gone do not count. The range is what `^@` means: for that PostgreSQL reads all words, unless the term is a constant.
 */
export const readTerms = (em: EntityManager, terms: readonly string[]): Promise<Term[]> =>
  sql<Term>(
    em,
    `select term, case when term ~ '^[a-z]+$' then plainto_tsquery('english', term)::text end as stem,
       case when correctable and not exists (
           select from search_word
           where word >= term and word < term || chr(${lastCodePoint}) and ${isKnown})
         then (
           select coalesce(json_agg(nearest), '[]')
           from (select word, similarity(word, term) from search_word where ${isKnown}
             order by word <-> term limit $3) as nearest
         ) end as near
     from unnest($1::text[], $2::boolean[]) with ordinality as terms (term, correctable, place)
     order by place`,
    [terms, terms.map((term, n) => n < correctedMax && isCorrectable(term)), nearMax],
  );

/** The words to search for in place of a mistyped term; none if it is a word of the catalogue. */
export function similarWords(near: Term['near']): string[] {
  const [best] = near ?? [];
  const nearMin = Math.max(similarityMin, (best?.similarity ?? 0) * similarityShare);
  return (near ?? []).filter(({ similarity }) => similarity >= nearMin).map(({ word }) => word);
}
