import { fold } from './fold.js';

/** What a text is found by. */
export type Token =
  /** a word of a script that separates words by spaces */
  | { readonly kind: 'word'; readonly text: string }
  /** a word in Hangul, whose parts are also searched for */
  | { readonly kind: 'hangul'; readonly text: string }
  /** characters of one script that has no spaces between words */
  | { readonly kind: 'run'; readonly text: string };

const inherited = String.raw`\p{Script=Inherited}`;
const scriptsWithoutSpaces = [
  String.raw`\p{Script=Han}`,
  String.raw`\p{Script=Hiragana}\p{Script=Katakana}ー`,
  ...['Thai', 'Lao', 'Khmer', 'Myanmar'].map((name) => String.raw`\p{Script=${name}}`),
];
const hangul = String.raw`\p{Script=Hangul}`;
const run = scriptsWithoutSpaces.map((script) => `[${script}][${script}${inherited}]*`).join('|');
const parts = new RegExp(
  `(?<run>${run})|(?<hangul>${hangul}[${hangul}${inherited}]*)|(?<word>[^${scriptsWithoutSpaces.join('')}${hangul}]+)`,
  'gu',
);
const lettersAndDigits = /[\p{L}\p{Mn}\p{Mc}\p{N}]+/gu;
const letterOrDigit = /[\p{L}\p{N}]/u;

/**
 * The words and runs of a text, folded, in their order. Where the script changes between one with and one without
 * spaces, or between two without, a new one begins.
 */
export function tokensOf(text: string): Token[] {
  const chunks = fold(text).match(lettersAndDigits) ?? [];
  return chunks.flatMap((chunk) =>
    [...chunk.matchAll(parts)]
      .filter(([part]) => letterOrDigit.test(part))
      .map(({ groups = {} }): Token => {
        if (groups.run !== undefined) return { kind: 'run', text: groups.run };
        if (groups.hangul !== undefined) return { kind: 'hangul', text: groups.hangul };
        return { kind: 'word', text: groups.word as string };
      }),
  );
}

const mark = /^\p{M}$/u;

/** An n-gram of a text, and the index of its first character. */
export interface NGram {
  readonly text: string;
  readonly at: number;
}

/** The pairs of neighbouring characters (code points) of a text. */
export function bigramsOf(text: string): NGram[] {
  const characters = [...text];
  return characters.slice(1).map((next, at) => ({ text: `${characters[at]}${next}`, at }));
}

/** The characters (code points) of a text, without marks, which are searched for with a letter only. */
export const charactersOf = (text: string): NGram[] =>
  [...text]
    .map((character, at) => ({ text: character, at }))
    .filter(({ text: each }) => !mark.test(each));
