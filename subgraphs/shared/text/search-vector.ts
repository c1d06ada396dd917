import { bigramsOf, charactersOf, type NGram, type Token, tokensOf } from './tokens.js';
import { hasVisibleText } from './visible-text.js';

/** Longer words are indexed and searched for by their beginning. */
export const wordLengthMax = 64;
/** The highest position that PostgreSQL has. Parts of a run beyond it are not indexed: they could match others. */
const positionMax = 16_383;
/** PostgreSQL keeps no more positions of a lexeme. */
const positionsMax = 255;

/** Parts of a word in Hangul have this before them, so that they are not taken for words. */
const partMark = '~';
/** A `tsquery` that no text matches. */
export const nothing = `'${partMark}'`;

export interface WeightedTokens {
  readonly tokens: readonly Token[];
  /** for the ranking: A counts most */
  readonly weight: 'A' | 'C';
}

/** A `tsvector` of texts, as a literal: their words, and their runs by characters and pairs of characters. */
export function searchVector(texts: readonly WeightedTokens[]): string {
  const positions = new Map<string, string[]>();
  let start = 1;
  for (const { tokens, weight } of texts) {
    const add = (lexeme: string, at: number) => {
      const known = positions.get(lexeme) ?? [];
      if (known.length < positionsMax) known.push(`${Math.min(at, positionMax)}${weight}`);
      positions.set(lexeme, known);
    };
    const addParts = (parts: readonly NGram[], mark = '') => {
      for (const { text, at } of parts)
        if (start + at <= positionMax) add(`${mark}${text}`, start + at);
    };
    for (const { kind, text } of tokens) {
      const characters = kind === 'run' ? text : cut(text);
      if (kind === 'run') addParts([...charactersOf(characters), ...bigramsOf(characters)]);
      else add(characters, start);
      if (kind === 'hangul') addParts(bigramsOf(characters), partMark);
      start += kind === 'word' ? 1 : [...characters].length;
    }
  }
  return [...positions].map(([lexeme, at]) => `'${lexeme}':${at.join(',')}`).join(' ');
}

const cut = (word: string) =>
  word.length <= wordLengthMax ? word : [...word].slice(0, wordLengthMax).join('');

const tokensMax = 16;

/**
 * A search as tokens, of which a text must have all.
 *
 * @returns null for a search that shows nothing, which is none; no tokens if it has neither letter nor digit
 */
export function searchOf(text: string | null | undefined): readonly Token[] | null {
  return hasVisibleText(text) ? tokensOf(text).slice(0, tokensMax) : null;
}

/**
 * The `tsquery` of a search, as a literal. A word matches itself and longer ones that begin with it, a word in Hangul
 * also those that contain it, and a run of characters each text that contains it.
 *
 * @param termsOf the terms of a `tsquery` of which a text must have one, for a word: by default its beginning
 */
export function searchQuery(
  tokens: readonly Token[],
  termsOf: (word: string) => readonly string[] = (word) => [beginning(word)],
): string {
  if (tokens.length === 0) return nothing;
  const parts = tokens.map(({ kind, text }) => {
    const characters = cut(text);
    if (kind === 'word') return anyOf(termsOf(characters));
    if (bigramsOf(characters).length === 0)
      return kind === 'hangul' ? beginning(characters) : `'${characters}'`;
    const before = kind === 'hangul' ? partMark : '';
    return `(${bigramsOf(characters)
      .map((part) => `'${before}${part.text}'`)
      .join(' <-> ')})`;
  });
  return parts.join(' & ');
}

/** The term of words that begin with this. */
export const beginning = (word: string) => `'${word}':*`;

const anyOf = (terms: readonly string[]) => `(${terms.join(' | ')})`;
