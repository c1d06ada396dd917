/**
 * SQL for a text in which ASCII punctuation is replaced by spaces, so that PostgreSQL takes neither
 * "black/white" nor "node.js" for one word. Non-ASCII characters are left to PostgreSQL's parser; letters
 * with marks are composed (NFC).
 */
export const separateWordsSql = (text: string) =>
  String.raw`regexp_replace(normalize(${text}), '[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u007f]+', ' ', 'g')`;

/** The words of a search text, split as `separateWordsSql` does. */
export const tokenize = (text: string): string[] =>
  text.normalize().match(/[\p{L}\p{M}\p{Nd}\p{Nl}]+/gu) ?? [];
