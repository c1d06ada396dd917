import fc from 'fast-check';
import { fold, foldCase } from './fold.js';

const forms = ['NFC', 'NFD', 'NFKC', 'NFKD'] as const;

describe('a folded text', () => {
  it.each([
    ['accents', 'Crème Brûlée', 'creme brulee'],
    ['Vietnamese', 'Nước mắm Phú Quốc, Đà Lạt', 'nuoc mam phu quoc, da lat'],
    ['sharp s', 'Straße STRASSE GROẞ', 'strasse strasse gross'],
    ['dotted and dotless i', 'İstanbul ısı ISI', 'istanbul isi isi'],
    [
      'Nordic and Polish letters',
      'Smørrebrød Þór Æsir Œuvre Łódź',
      'smorrebrod thor aesir oeuvre lodz',
    ],
    ['Greek', 'Σίσυφος ΣΊΣΥΦΟΣ', 'σισυφοσ σισυφοσ'],
    ['ё', 'Ёлка', 'елка'],
    ['ligatures and full width', 'ﬁｌｅ ①', 'file 1'],
    ['half-width Kana', 'ﾊﾞｽ', 'バス'],
    ['a soft hyphen and joiners', 'co\u00adop क\u200dष', 'coop कष'],
  ])('has no differences of %s', (_, text, folded) => {
    for (const form of forms) expect(fold(text.normalize(form))).toBe(folded);
  });

  it.each([
    ['й', 'и'],
    ['バス', 'ハス'],
    ['ม้า', 'มา'],
    ['कला', 'कल'],
    ['שָׁלוֹם', 'שלום'],
    ['مُدَرِّس', 'مدرس'],
    ['C++', 'C#'],
  ])('keeps what makes %s another word than %s', (one, other) => {
    expect(fold(one)).not.toBe(fold(other));
  });

  it('is the same when it is folded again: every character of Unicode', () => {
    const changed: string[] = [];
    for (let codePoint = 0; codePoint <= 0x10ffff; codePoint++) {
      if (codePoint >= 0xd800 && codePoint <= 0xdfff) continue;
      const text = String.fromCodePoint(codePoint);
      for (const folding of [fold, foldCase])
        if (folding(folding(text)) !== folding(text)) changed.push(codePoint.toString(16));
    }
    expect(changed).toEqual([]);
  });

  it('is the same for a text in any normal form and case', () => {
    const property = fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const folded = fold(text);
      for (const form of forms) expect(fold(text.normalize(form))).toBe(folded);
      expect(fold(text.toUpperCase())).toBe(folded);
      expect(fold(folded)).toBe(folded);
    });
    fc.assert(property, { numRuns: 2000 });
  });
});

describe('a text without case', () => {
  it('keeps accents, and all else that makes another name', () => {
    expect(foldCase('Émail')).toBe('émail');
    expect(foldCase('ÉMAIL')).toBe(foldCase('E\u0301mail'));
    expect(foldCase('Email')).not.toBe(foldCase('Émail'));
    expect(foldCase('Ｂooks')).toBe('books');
  });
});
