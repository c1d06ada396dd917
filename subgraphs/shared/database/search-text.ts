/**
 * SQL for a text whose words stand apart: of what joins words only letters, digits and marks are left,
 * and spaces, so that PostgreSQL takes neither "black/white" nor "node.js" for one word. What is not
 * ASCII is left to PostgreSQL, which knows the marks of letters; with each letter it is composed.
 */
export const separateWordsSql = (text: string) =>
  String.raw`regexp_replace(normalize(${text}), '[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u007f]+', ' ', 'g')`;

/** The words of a text that somebody searches for, as `separateWordsSql` leaves them. */
export const tokenize = (text: string): string[] =>
  text.normalize().match(/[\p{L}\p{M}\p{Nd}\p{Nl}]+/gu) ?? [];
