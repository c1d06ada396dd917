import { createPendingActions } from './pending.js';

function storage() {
  const values = new Map<string, string>();
  return {
    getItem: (name: string) => values.get(name) ?? null,
    setItem: (name: string, value: string) => void values.set(name, value),
  };
}

describe('a pending action', () => {
  let keys = 0;
  let user: string | null = 'ana';
  let nowMs = 1_000_000;
  const open = (store: Pick<Storage, 'getItem' | 'setItem'> = storage()) =>
    createPendingActions({
      store,
      newKey: () => `key ${++keys}`,
      owner: () => user,
      nowMs: () => nowMs,
    });
  const home = { addressId: 'home' };

  it('has one key until it is answered, also after a reload', () => {
    const store = storage();
    const key = open(store).keyOf('addToCart', { offerId: 'a', quantity: 1 });
    expect(open(store).keyOf('addToCart', { offerId: 'a', quantity: 1 })).toBe(key);
    open(store).settle(key);
    expect(open(store).keyOf('addToCart', { offerId: 'a', quantity: 1 })).not.toBe(key);
  });

  it('has a key of its own for another input or another action', () => {
    const own = open();
    const all = [
      own.keyOf('addToCart', { offerId: 'a', quantity: 1 }),
      own.keyOf('addToCart', { offerId: 'a', quantity: 2 }),
      own.keyOf('checkout', { offerId: 'a', quantity: 1 }),
    ];
    expect(new Set(all).size).toBe(3);
  });

  it('is listed with its input and state, so that it can be sent again', () => {
    const own = open();
    const key = own.keyOf('checkout', home);
    const expected = { key, action: 'checkout', input: home, owner: 'ana', atMs: nowMs };
    expect(own.allOf('checkout')).toEqual([{ ...expected, state: 'sent' }]);
    own.mark(key, 'waiting');
    expect(own.allOf('checkout')).toEqual([{ ...expected, state: 'waiting' }]);
    own.settle(key);
    expect(own.allOf('checkout')).toEqual([]);
  });

  it('belongs to its user, and is forgotten when they log out', () => {
    const own = open();
    const key = own.keyOf('checkout', home);
    user = 'ben';
    expect(own.allOf('checkout')).toEqual([]);
    expect(own.keyOf('checkout', home)).not.toBe(key);
    user = 'ana';
    expect(own.keyOf('checkout', home)).toBe(key);
    own.clear();
    expect(own.keyOf('checkout', home)).not.toBe(key);
  });

  it('is forgotten once its effect has been seen, unless it is under way', () => {
    const own = open();
    const [seen, underWay, order] = [
      own.keyOf('addToCart', 'seen'),
      own.keyOf('addToCart', 'under way'),
      own.keyOf('checkout', home),
    ];
    own.forget(['addToCart'], (key) => key === underWay);
    expect(own.keyOf('addToCart', 'seen')).not.toBe(seen);
    expect(own.keyOf('addToCart', 'under way')).toBe(underWay);
    expect(own.keyOf('checkout', home)).toBe(order);
  });

  it('is forgotten after a day, as by the API, and after fifty later ones', () => {
    const own = open();
    const first = own.keyOf('checkout', home);
    nowMs += 24 * 3_600_000;
    expect(own.allOf('checkout')).toEqual([]);
    const second = own.keyOf('checkout', home);
    expect(second).not.toBe(first);
    for (let n = 0; n < 50; n++) own.keyOf('addToCart', n);
    expect(own.keyOf('checkout', home)).not.toBe(second);
  });

  it('starts empty where the stored text is damaged, and works where nothing can be stored', () => {
    const damaged = storage();
    damaged.setItem('holdfast.pending', '{');
    expect(open(damaged).allOf('checkout')).toEqual([]);
    const full = {
      getItem: () => null,
      setItem: () => {
        throw new Error('QuotaExceededError');
      },
    };
    expect(open(full).keyOf('checkout', home)).toMatch(/^key/);
  });
});
