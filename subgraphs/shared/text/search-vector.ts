import { bigramsOf, charactersOf, type Token, tokensOf } from './tokens.js';
import { hasVisibleText } from './visible-text.js';

/** Longer words are indexed and searched for by their beginning. */
export const wordLengthMax = 64;
/** PostgreSQL knows no higher position: characters of a run beyond it are not found as phrases. */
const positionMax = 16_383;

/** Parts of a word in Hangul have this before them, so that they are not taken for words. */
const partMark = '~';
/** A `tsquery` that no text matches. */
export const nothing = `'${partMark}'`;

export interface WeightedText {
  readonly text: string;
  /** for the ranking: A counts most */
  readonly weight: 'A' | 'B' | 'C';
  /** other forms of a word, which find it as well */
  readonly formsOf?: (word: string) => readonly string[];
}

/** A `tsvector` of texts, as a literal: words and their forms, and runs by characters and pairs of them. */
export function searchVector(texts: readonly WeightedText[]): string {
  const lexemes: string[] = [];
  let start = 1;
  for (const { text, weight, formsOf } of texts) {
    const add = (lexeme: string, at = 0) =>
      lexemes.push(`'${lexeme}':${Math.min(start + at, positionMax)}${weight}`);
    for (const token of tokensOf(text)) {
      if (token.kind === 'run') {
        for (const each of [...charactersOf(token.text), ...bigramsOf(token.text)])
          add(each.text, each.at);
        start += [...token.text].length;
        continue;
      }
      const word = cut(token.text);
      for (const form of new Set([word, ...(formsOf?.(word) ?? [])])) add(form);
      if (token.kind === 'hangul')
        for (const part of bigramsOf(word)) add(`${partMark}${part.text}`, part.at);
      start += token.kind === 'hangul' ? [...word].length : 1;
    }
  }
  return lexemes.join(' ');
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
 * @param formsOf the terms of a `tsquery` of which a text must have one, in place of the word and longer ones
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
