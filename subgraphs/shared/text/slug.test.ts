import fc from 'fast-check';
import { normalizeSlug, slugOf } from './slug.js';

const slug = (name: string) => slugOf(name, 'item');

describe('a slug', () => {
  it.each([
    ['Trail Shoe (men)', 'trail-shoe-men'],
    ['  Café  Zürich! ', 'café-zürich'],
    ['한국 김치', '한국-김치'],
    ['कला', 'कला'],
    ['ม้า', 'ม้า'],
    ['バス', 'バス'],
    ['女士防水登山鞋', '女士防水登山鞋'],
    ['שלום עולם', 'שלום-עולם'],
    ['Phở bò', 'phở-bò'],
    ['C++', 'c'],
    ['C#', 'c'],
    ['1️⃣ Set', '1-set'],
    ['🎁 Gifts ❤️', 'gifts'],
    ['\u0301a', 'a'],
    ['a__b--c', 'a-b-c'],
  ])('of %s is %s', (name, expected) => {
    for (const form of ['NFC', 'NFD'] as const)
      expect(slug(name.normalize(form))).toBe(expected.normalize('NFC'));
  });

  it.each(['🎁', '!!!', '★', '\u0301'])(
    'of %s, without letter or digit, is the one given',
    (name) => {
      expect(slug(name)).toBe('item');
    },
  );

  it('is cut between letters, never inside one', () => {
    const clef = '𠮷'; // two UTF-16 units
    expect(slug(`${'a'.repeat(199)}${clef}b`)).toBe('a'.repeat(199));
    expect(slug(`${'a'.repeat(198)}${clef}b`)).toBe(`${'a'.repeat(198)}${clef}`);
    expect(slug(`${'a'.repeat(199)}q\u0323\u0307`)).toBe('a'.repeat(199));
    expect(slug(`${'a'.repeat(199)} b`)).toBe('a'.repeat(199));
  });

  it('of any name is well-formed, short, in NFC, and its own slug', () => {
    const property = fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (name) => {
      const made = slug(name);
      expect(made.isWellFormed()).toBe(true);
      expect(made.length).toBeLessThanOrEqual(200);
      expect(made).not.toBe('');
      expect(normalizeSlug(made)).toBe(made);
      expect(normalizeSlug(made.normalize('NFD').toUpperCase())).toBe(
        normalizeSlug(made.toUpperCase()),
      );
      expect(slug(made)).toBe(made);
    });
    fc.assert(property, { numRuns: 2000 });
  });
});
