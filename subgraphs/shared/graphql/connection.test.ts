import { pageRequest, toConnection } from './connection.js';
import { cursorOf } from './cursor.js';

describe('pages', () => {
  const rows = ['a', 'b', 'c'].map((tail) => ({
    id: `00000000-0000-7000-8000-00000000000${tail}`,
  }));

  it('report whether the list continues, and after which cursor', () => {
    const page = toConnection(rows, 2);
    expect(page.edges.map(({ node }) => node)).toEqual(rows.slice(0, 2));
    expect(page.pageInfo.hasNextPage).toBe(true);
    const next = pageRequest(2, page.pageInfo.endCursor);
    expect(next.afterId).toBe(rows[1]?.id);
    expect(toConnection([], 2).pageInfo).toEqual({ hasNextPage: false, endCursor: null });
  });

  it('refuse a cursor that is not of their list', () => {
    const id = rows[0]?.id;
    expect(pageRequest(2, cursorOf([id])).afterId).toBe(id);
    const unversioned = Buffer.from(JSON.stringify([id])).toString('base64url');
    const wrong = ['', 'nonsense', unversioned, cursorOf([]), cursorOf(['x']), cursorOf([id, id])];
    for (const after of [...wrong, cursorOf(['NEWEST', null, id])]) {
      expect(() => pageRequest(2, after)).toThrow('after: is not a cursor of this list');
    }
  });

  it.each([0, -1, 101])('are not of %d', (first) => {
    expect(() => pageRequest(first, null)).toThrow('between 1 and 100');
  });
});
