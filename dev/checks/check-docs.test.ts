import { findBrokenLinks, findLongTexts } from './check-docs.js';

describe('the check of links', () => {
  const guide = { path: 'docs/guide.md', text: '# Guide\n\n## Order of locks, by `id`\n' };
  const exists = (path: string) => ['docs/guide.md', 'router/index.ts'].includes(path);
  const find = (text: string) =>
    findBrokenLinks(
      [guide, { path: 'docs/page.md', text }, { path: 'README.md', text: '' }],
      exists,
    );

  it('finds a link to a missing file', () => {
    expect(find('See [the guide](guides.md).')).toEqual(['docs/page.md: broken link guides.md']);
  });

  it('finds a link to a missing heading, and accepts an existing one', () => {
    expect(find('[locks](guide.md#order-of-locks-by-id)')).toEqual([]);
    expect(find('[locks](guide.md#locks)')).toEqual([
      'docs/page.md: docs/guide.md has no heading #locks',
    ]);
  });

  it('finds a path of a missing source file', () => {
    expect(find('`router/index.ts` and `router/server.ts`')).toEqual([
      'docs/page.md: missing file router/server.ts',
    ]);
  });

  it('ignores URLs and code blocks', () => {
    expect(find('[site](https://example.org/x.md)\n```\n[x](y.md)\n```\n')).toEqual([]);
  });
});

describe('the check of lengths', () => {
  const long = 'x'.repeat(121);

  it('finds long lines of prose, and accepts tables and code', () => {
    const text = `fine\n| ${long} |\n\`\`\`\n${long}\n\`\`\`\n`;
    expect(findLongTexts([{ path: 'docs/page.md', text }])).toEqual([]);
    expect(findLongTexts([{ path: 'docs/page.md', text: `${text}${long}\n` }])).toEqual([
      `docs/page.md: more than 120 characters: ${'x'.repeat(60)}…`,
    ]);
  });

  it('finds any long line of the README, and one line too many', () => {
    expect(findLongTexts([{ path: 'README.md', text: `| ${long} |\n` }])).toHaveLength(1);
    expect(findLongTexts([{ path: 'README.md', text: 'x\n'.repeat(150) }])).toEqual([]);
    expect(findLongTexts([{ path: 'README.md', text: 'x\n'.repeat(151) }])).toEqual([
      'README.md: more than 150 lines',
    ]);
  });
});
