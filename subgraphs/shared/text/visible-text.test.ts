import { hasVisibleText } from './visible-text.js';

const invisible = [
  ['nothing', ''],
  ['spaces', '  '],
  ['a tab and line breaks', '\t\r\n\v\f\u0085'],
  ['spaces of other widths', '\u00a0\u1680\u2000\u200a\u202f\u205f\u3000'],
  ['separators of lines and paragraphs', '\u2028\u2029'],
  ['control characters', '\0\u0007\u001b\u007f\u009f'],
  ['zero-width spaces, joiners and marks of direction', '\u200b\u200c\u200d\u200e\u200f'],
  ['overrides and isolates of direction', '\u202a\u202e\u2066\u2069'],
  ['a word joiner and invisible operators', '\u2060\u2061\u2062\u2063\u2064'],
  ['a byte order mark', '\ufeff'],
  ['a soft hyphen', '\u00ad'],
  ['a combining grapheme joiner', '\u034f'],
  ['an Arabic letter mark', '\u061c'],
  ['Hangul fillers', '\u115f\u1160\u3164\uffa0'],
  ['inherent vowels of Khmer', '\u17b4\u17b5'],
  ['a Mongolian vowel separator', '\u180e'],
  ['a blank Braille pattern', '\u2800'],
  ['variation selectors', '\ufe00\ufe0f\u{e0100}'],
  ['tags', '\u{e0001}\u{e0041}\u{e007f}'],
  ['a null notehead', '\u{1d159}'],
  ['a mark without a letter', '\u0301'],
  ['what Unicode has not assigned', '\u0378\u{e0fff}\uffff'],
  ['private characters', '\ue000'],
  ['half a surrogate pair', '\ud800'],
] as const;

describe('text', () => {
  it.each(invisible)('is not %s', (_, text) => {
    expect(hasVisibleText(text)).toBe(false);
    for (const character of text) expect(hasVisibleText(` ${character} `)).toBe(false);
    expect(hasVisibleText(`${text}a${text}`)).toBe(true);
  });

  it.each(['a', '0', '.', '北京', 'नमस्ते', '👩‍🚀', '❤️', '🇨🇭', '⠁', 'é', '€'])('is %s', (text) => {
    expect(hasVisibleText(text)).toBe(true);
  });

  it('is not a missing value', () => {
    expect(hasVisibleText(null)).toBe(false);
    expect(hasVisibleText(undefined)).toBe(false);
  });
});
