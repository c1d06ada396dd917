import { createPendingActions } from './pending.js';

function storage() {
  const values = new Map<string, string>();
  return {
    getItem: (name: string) => values.get(name) ?? null,
    setItem: (name: string, value: string) => void values.set(name, value),
  };
}

describe('a pending action', () => {
  const store = storage();
  let keys = 0;
  let user: string | null = 'ana';
  const open = (from = store) =>
    createPendingActions(
      from,
      () => `key ${++keys}`,
      () => user,
    );

  it('has one key until it is answered, also after a reload', () => {
    const key = open().keyOf('addToCart', { offerId: 'a', quantity: 1 });
    expect(open().keyOf('addToCart', { offerId: 'a', quantity: 1 })).toBe(key);
    open().settle(key);
    expect(open().keyOf('addToCart', { offerId: 'a', quantity: 1 })).not.toBe(key);
  });

  it('has a key of its own for another input or another action', () => {
    const own = open(storage());
    const all = [
      own.keyOf('addToCart', { offerId: 'a', quantity: 1 }),
      own.keyOf('addToCart', { offerId: 'a', quantity: 2 }),
      own.keyOf('checkout', { offerId: 'a', quantity: 1 }),
    ];
    expect(new Set(all).size).toBe(3);
  });

  it('is listed with its input, so that it can be sent again', () => {
    const own = open(storage());
    const key = own.keyOf('checkout', { addressId: 'home' });
    expect(own.allOf('checkout')).toEqual([
      { key, action: 'checkout', input: { addressId: 'home' }, owner: 'ana' },
    ]);
    own.settle(key);
    expect(own.allOf('checkout')).toEqual([]);
  });

  it('belongs to its user', () => {
    const own = open(storage());
    const key = own.keyOf('checkout', { addressId: 'home' });
    user = 'ben';
    expect(own.allOf('checkout')).toEqual([]);
    expect(own.keyOf('checkout', { addressId: 'home' })).not.toBe(key);
    user = 'ana';
    expect(own.keyOf('checkout', { addressId: 'home' })).toBe(key);
  });

  it('starts empty where the stored text is damaged', () => {
    const damaged = storage();
    damaged.setItem('holdfast.pending', '{');
    expect(open(damaged).allOf('checkout')).toEqual([]);
    expect(open(damaged).keyOf('checkout', {})).toMatch(/^key/);
  });

  it('is forgotten after fifty later ones', () => {
    const own = open(storage());
    const first = own.keyOf('addToCart', 0);
    for (let n = 1; n <= 50; n++) own.keyOf('addToCart', n);
    expect(own.allOf('addToCart')).toHaveLength(50);
    expect(own.keyOf('addToCart', 0)).not.toBe(first);
  });
});
