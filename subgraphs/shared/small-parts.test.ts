import { GraphQLError } from 'graphql';
import { badInput } from './errors.js';
import { pageRequest, toConnection } from './graphql/connection.js';
import { cursorOf } from './graphql/cursor.js';
import { maskErrors } from './graphql/error-format.js';
import { Decimal } from './graphql/scalars.js';
import { lineTotal, money, sumOf } from './money.js';
import { createLogger } from './observability/logger.js';
import { requestTrace } from './observability/request-context.js';

describe('money', () => {
  it('is exact, where floats are not', () => {
    expect(sumOf(['0.10', '0.20'])).toBe('0.30');
    expect(lineTotal('1.10', 3)).toBe('3.30');
    expect(lineTotal('9999999999.99', 10_000)).toBe('99999999999900.00');
    expect(money('5', 'USD')).toEqual({ amount: '5.00', currencyCode: 'USD' });
  });

  it.each([1, '1e3', '', '1,5', 'NaN', '--1', null])('a Decimal is not %j', (value) => {
    expect(() => Decimal.parseValue(value)).toThrow(GraphQLError);
  });
});

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

describe('errors', () => {
  const lines: string[] = [];
  const logger = createLogger('test', 'error', {
    destination: { write: (line) => void lines.push(line) },
  });
  const mask = maskErrors(logger);

  it('of the domain are sent unchanged, without a stack trace', () => {
    const error = badInput({ 'input.name': 'is empty' });
    expect(
      mask({ ...error.toJSON(), extensions: { ...error.extensions, stacktrace: [] } }, error),
    ).toMatchObject({
      message: 'input.name: is empty',
      extensions: { code: 'BAD_USER_INPUT', fields: { 'input.name': 'is empty' } },
    });
  });

  it.each(['57014', '55P03', '08006'])(
    'of a database that is slow or unreachable (%s) become TRY_AGAIN',
    (code) => {
      const thrown = Object.assign(new Error('no'), { code });
      const formatted = { message: 'no', extensions: { code: 'INTERNAL_SERVER_ERROR' } };
      expect(mask(formatted, thrown)).toMatchObject({ extensions: { code: 'TRY_AGAIN' } });
    },
  );

  it('of any other kind are logged in full and masked, with the id of the request', () => {
    const thrown = new Error('password authentication failed for role "x"');
    const masked = requestTrace.run({ requestId: 'request-1' }, () =>
      mask({ message: thrown.message, extensions: { code: 'INTERNAL_SERVER_ERROR' } }, thrown),
    );
    expect(masked).toEqual({
      message: 'Something went wrong on our side.',
      extensions: { code: 'INTERNAL_SERVER_ERROR', requestId: 'request-1' },
    });
    expect(lines.at(-1)).toContain('password authentication failed');
  });
});
