import { searchOf, searchQuery, searchVector, wordLengthMax } from './search-vector.js';
import { tokensOf } from './tokens.js';

const vectorOf = (text: string) =>
  searchVector([{ tokens: tokensOf(text), weight: 'A' }])
    .split(' ')
    .filter(Boolean)
    .sort();
const queryOf = (text: string) => {
  const tokens = searchOf(text);
  return tokens && searchQuery(tokens);
};

describe('the tokens of a text', () => {
  it.each([
    ['Trail-Shoe 3.0', ['word trail', 'word shoe', 'word 3', 'word 0']],
    ['LG전자 4K', ['word lg', 'hangul 전자', 'word 4k']],
    [
      '防水トレッキングシューズ26cm用',
      ['run 防水', 'run トレッキングシューズ', 'word 26cm', 'run 用'],
    ],
    ['ｼｭｰｽﾞ', ['run シューズ']],
    ['ม้าลาย zebra', ['run ม้าลาย', 'word zebra']],
    ['कीबोर्ड', ['word कीबोर्ड']],
    ['می\u200cخواهم', ['word میخواهم']],
    ['★ --- 🎁 \u0301', []],
  ])('%s', (text, tokens) => {
    expect(tokensOf(text).map(({ kind, text: part }) => `${kind} ${part}`)).toEqual(tokens);
  });
});

describe('a search vector', () => {
  it('has words at their places, and runs by characters and pairs', () => {
    expect(vectorOf('Big 登山鞋 ok')).toEqual(
      ["'big':1A", "'登':2A", "'登山':2A", "'山':3A", "'山鞋':3A", "'鞋':4A", "'ok':5A"].sort(),
    );
  });

  it('has a word in Hangul as a whole, and its pairs with a mark', () => {
    expect(vectorOf('김치국')).toEqual(["'김치국':1A", "'~김치':1A", "'~치국':2A"].sort());
  });

  it('has each lexeme once, with at most 255 positions, and none beyond the highest', () => {
    expect(vectorOf('a b a')).toEqual(["'a':1A,3A", "'b':2A"]);
    const [many] = vectorOf('a '.repeat(300));
    expect(many?.split(',')).toHaveLength(255);
    const long = vectorOf(`${'あ'.repeat(16_383)}終了 end`);
    expect(long.filter((lexeme) => /終/.test(lexeme))).toEqual([]);
    expect(long).toContain("'end':16383A");
  });

  it('has a long word by its beginning', () => {
    const [word] = vectorOf('x'.repeat(20_000));
    expect(word).toBe(`'${'x'.repeat(wordLengthMax)}':1A`);
    expect(queryOf('x'.repeat(200))).toBe(`('${'x'.repeat(wordLengthMax)}':*)`);
  });
});

describe('a search', () => {
  it.each([
    ['', null],
    [' \u200b\u200d', null],
    ['★', "'~'"],
    ['%', "'~'"],
    ['Crème', "('creme':*)"],
    ['鞋', "'鞋'"],
    ['登山鞋', "('登山' <-> '山鞋')"],
    ['김', "'김':*"],
    ['김치', "('~김치')"],
    ["o'neill\\'s", "('o':*) & ('neill':*) & ('s':*)"],
  ])('of %j is %j', (text, query) => {
    expect(queryOf(text)).toBe(query);
  });

  it('has at most 16 tokens', () => {
    expect(searchOf('a '.repeat(100))).toHaveLength(16);
  });
});
