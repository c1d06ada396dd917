import { namedParameters } from './named-parameters.js';

describe('named parameters', () => {
  const parameters = namedParameters({
    cart_id: 'uuid',
    line: { offer_id: 'uuid', quantity: 'int', note: 'jsonb' },
    is_set: 'boolean',
  });

  it('are numbered in the order in which they are listed, rows by one array per column', () => {
    expect(parameters.sql).toEqual({
      cart_id: '$1::uuid',
      line: 'unnest($2::uuid[], $3::int[], $4::jsonb[]) as line (offer_id, quantity, note)',
      is_set: '$5::boolean',
    });
  });

  it('send each value with its number, in whatever sequence the values are written', () => {
    const values = parameters.values({
      is_set: true,
      line: [
        { note: { text: 'a' }, offer_id: 'o1', quantity: 1 },
        { quantity: 2, offer_id: 'o2', note: null },
      ],
      cart_id: 'c',
    });
    expect(values).toEqual(['c', ['o1', 'o2'], [1, 2], ['{"text":"a"}', 'null'], true]);
  });
});
