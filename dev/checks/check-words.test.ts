import { findWords } from './check-words.js';

describe('the word check', () => {
  it.each([
    ['subgraphs/x.ts', `description: 'The customer is told so.'`, 'told'],
    ['schema/x.graphql', '"""What the shop tells."""', 'tells'],
    ['router/x.ts', `logger.warn({}, 'connects anew')`, 'anew'],
    ['docs/x.md', 'It is waited for in vain.', 'in vain'],
    ['docs/x.md', 'A warehouse of one’s own.', 'one’s own'],
    ['docs/x.md', 'The price of its dearest offer.', 'dearest'],
    ['docs/x.md', 'Mended by the next sweep.', 'Mended'],
  ])('finds the word of %s: %s', (path, text, word) => {
    expect(findWords(path, `first line\n${text}`)).toMatchObject([{ path, line: 2, word }]);
  });

  it('says what to write instead', () => {
    expect(findWords('docs/x.md', 'begins anew')[0]?.instead).toBe('again');
  });

  it('ignores words that only contain a listed one', () => {
    expect(findWords('docs/x.md', 'recommended, amendment, tellers, foretold')).toEqual([]);
  });

  it('ignores code blocks of Markdown, but not the text after them', () => {
    const text = ['```sh', 'echo told', '```', 'It was told.'].join('\n');
    expect(findWords('docs/x.md', text)).toMatchObject([{ line: 4 }]);
  });
});
