import { addressOf, filterOf, readChoice } from './list-address.js';

describe('the address of the list', () => {
  it('holds what was chosen, and is read back', () => {
    const choice = readChoice({
      q: 'café',
      category: '01a19467-e800-7bbc-8f36-20aff7415dc0',
      min: '10',
      max: '99.90',
      stock: 'in',
      sort: 'PRICE_ASC',
    });
    const { searchParams } = new URL(addressOf(choice), 'http://store');
    expect(readChoice(Object.fromEntries(searchParams))).toEqual(choice);
  });

  it('keeps an order that differs from the default of its search', () => {
    const queries: Record<string, string>[] = [
      { q: 'shoe', sort: 'NEWEST' },
      { sort: 'RELEVANCE' },
      { sort: 'NAME' },
    ];
    for (const query of queries) {
      const { searchParams } = new URL(addressOf(readChoice(query)), 'http://store');
      expect(readChoice(Object.fromEntries(searchParams)).sort).toBe(query.sort);
    }
  });

  it('is plain without a choice', () => {
    expect(addressOf(readChoice({}))).toBe('/');
  });

  it('sorts a search by relevance, unless another order was chosen', () => {
    expect(readChoice({ q: 'shoe' }).sort).toBe('RELEVANCE');
    expect(readChoice({ q: ' ' }).sort).toBe('NEWEST');
    expect(readChoice({ q: 'shoe', sort: 'NAME' }).sort).toBe('NAME');
    expect(readChoice({ sort: 'nonsense' }).sort).toBe('NEWEST');
  });

  it('leaves out of the filter what is blank or half typed', () => {
    expect(filterOf(readChoice({ q: '  ', min: '1.', max: 'x' }))).toEqual({});
    expect(filterOf(readChoice({ min: '1.5', stock: 'in' }))).toEqual({
      minPrice: '1.5',
      inStock: true,
    });
  });

  it('searches for the first 200 characters', () => {
    expect(filterOf(readChoice({ q: '靴'.repeat(300) })).search).toHaveLength(200);
  });
});
