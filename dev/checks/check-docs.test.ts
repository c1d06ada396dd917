import { findBrokenLinks } from './check-docs.js';

describe('the check of links', () => {
  const guide = { path: 'docs/guide.md', text: '# Guide\n\n## Order of locks, by `id`\n' };
  const exists = (path: string) => ['docs/guide.md', 'router/index.ts'].includes(path);
  const find = (text: string) =>
    findBrokenLinks(
      [guide, { path: 'docs/page.md', text }, { path: 'README.md', text: '' }],
      exists,
    );

  it('finds a link to a file that is not there', () => {
    expect(find('See [the guide](guides.md).')).toEqual([
      'docs/page.md: the link guides.md leads to no file',
    ]);
  });

  it('finds a link to a heading that is not there, and accepts one that is', () => {
    expect(find('[locks](guide.md#order-of-locks-by-id)')).toEqual([]);
    expect(find('[locks](guide.md#locks)')).toEqual([
      'docs/page.md: docs/guide.md has no heading #locks',
    ]);
  });

  it('finds a path of the code that is not there', () => {
    expect(find('`router/index.ts` and `router/server.ts`')).toEqual([
      'docs/page.md: there is no file router/server.ts',
    ]);
  });

  it('passes over addresses and code blocks', () => {
    expect(find('[site](https://example.org/x.md)\n```\n[x](y.md)\n```\n')).toEqual([]);
  });
});
