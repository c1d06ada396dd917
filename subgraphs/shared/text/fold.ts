/** Letters that Unicode does not decompose, and ё, which many write as е. */
const replacements: Readonly<Record<string, string>> = {
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ł: 'l',
  ё: 'е',
};
const replaced = new RegExp(`[${Object.keys(replacements).join('')}]`, 'gu');
const ignorable = /\p{Default_Ignorable_Code_Point}/gu;
const markedLetter = /([\p{Script=Latin}\p{Script=Greek}])(\p{M}+)/gu;
const diacritic = /[\u0300-\u036f]/g;

/**
 * A text without differences of case and of compatibility: names that are equal in this are the same name. Upper case
 * comes first, because some letters have one upper case and two lower cases (`ı`, `ſ`). Joiners and variation selectors
 * are dropped, as in NFKC_Casefold (UAX #44).
 */
export const foldCase = (text: string): string =>
  text
    .normalize('NFKC')
    .replace(ignorable, '')
    .toUpperCase()
    .toLowerCase()
    .normalize('NFKC')
    .replace(/ς/g, 'σ')
    .replace(/ß/g, 'ss');

/**
 * A text for searches: `foldCase`, and Latin and Greek letters without their diacritics (U+0300–036F). Marks after
 * letters of all other scripts stay: without them, й is и, バ is ハ and ม้า is มา. Folding twice changes nothing.
 */
export const fold = (text: string): string =>
  foldCase(text)
    .normalize('NFD')
    .replace(
      markedLetter,
      (_, letter: string, marks: string) => letter + marks.replace(diacritic, ''),
    )
    .normalize('NFKC')
    .replace(replaced, (letter) => replacements[letter] as string);
