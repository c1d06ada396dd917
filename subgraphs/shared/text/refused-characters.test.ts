import { findRefusedCharacter } from './refused-characters.js';

describe('a text that is shown', () => {
  it.each([
    ['a\u0007b', 'U+0007 (a control character)'],
    ['a\u202eb', 'U+202E (an embedding or override of the direction)'],
    ['a\u2066b', 'U+2066 (an isolate of the direction)'],
    ['a\u200bb', 'U+200B (a zero-width space)'],
    ['\ufeffa', 'U+FEFF (a byte-order mark)'],
    ['a\ue000', 'U+E000 (a character for private use)'],
    ['a\u{f0000}', 'U+F0000 (a character for private use)'],
    ['a\u0378', 'U+0378 (not assigned by Unicode)'],
    ['a\uffff', 'U+FFFF (not assigned by Unicode)'],
    ['a\u200b\u0007', 'U+200B (a zero-width space)'],
  ])('%j has a character that is refused, by its name', (text, name) => {
    expect(findRefusedCharacter(text, true)).toBe(name);
    expect(findRefusedCharacter(text, false)).toBe(name);
  });

  it.each(['a\nb', 'a\tb', 'a\u2028b', 'a\u2029b'])('%j has more than one line', (text) => {
    expect(findRefusedCharacter(text, true)).toBeNull();
    expect(findRefusedCharacter(text, false)).toMatch(/^U\+(0009|000A|2028|2029) \(a .+\)$/);
  });

  it.each([
    ['Persian with a non-joiner', 'می\u200cخواهم'],
    ['Hindi with a joiner', 'क\u200dष'],
    ['Hebrew with marks of direction', 'ספר C++\u200e, \u200fשלום'],
    ['a family', '👨‍👩‍👧'],
    ['a heart with a variation selector', '❤️'],
    ['a flag of tags', '🏴󠁧󠁢󠁥󠁮󠁧󠁿'],
    ['Han with a variation selector', '葛\u{e0100}城'],
    ['Arabic, Thai, Vietnamese, Turkish, Korean, Japanese', 'كتاب หนังสือ sách kitabı 책 本'],
  ])('keeps %s', (_, text) => {
    expect(findRefusedCharacter(text, false)).toBeNull();
  });
});
