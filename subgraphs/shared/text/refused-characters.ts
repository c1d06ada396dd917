/** What is refused in a text that is shown, with the name that an error gives it. */
const refused: ReadonlyArray<readonly [pattern: RegExp, name: string]> = [
  [/(?![\t\n\r])\p{Cc}/u, 'a control character'],
  [/[\u202a-\u202e]/u, 'an embedding or override of the direction'],
  [/[\u2066-\u2069]/u, 'an isolate of the direction'],
  [/\u200b/u, 'a zero-width space'],
  [/\ufeff/u, 'a byte-order mark'],
  [/\p{Co}/u, 'a character for private use'],
  [/\p{Cn}/u, 'not assigned by Unicode'],
];
const lineBreaks: typeof refused = [
  [/[\t\n\r]/u, 'a control character'],
  [/\p{Zl}/u, 'a line separator'],
  [/\p{Zp}/u, 'a paragraph separator'],
];

/**
 * The first character that a text must not have: what no reader sees, but what makes two texts differ, turns the
 * direction of what follows, or has no meaning. Joiners, marks of direction, variation selectors and tags are
 * kept: words and emoji need them.
 *
 * @param lines whether tabs and line breaks are allowed
 * @returns such as `U+202E (an embedding or override of the direction)`; null if there is none
 */
export function findRefusedCharacter(text: string, lines: boolean): string | null {
  const [first] = (lines ? refused : [...refused, ...lineBreaks])
    .map(([pattern, name]) => ({ name, found: pattern.exec(text) }))
    .filter(({ found }) => found !== null)
    .sort((a, b) => (a.found?.index ?? 0) - (b.found?.index ?? 0));
  return first ? `${codePointOf(first.found?.[0] ?? '')} (${first.name})` : null;
}

const codePointOf = (character: string) =>
  `U+${(character.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, '0')}`;
