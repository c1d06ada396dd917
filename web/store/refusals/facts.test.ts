import { sentencesOf } from './facts.js';

const offer = { id: 'shoe' };
const nameOf = (id: string | undefined) => (id === 'shoe' ? 'Trail Shoe' : undefined);
const usd = (amount: string) => ({ amount, currencyCode: 'USD' });

describe('a refusal', () => {
  it('of missing stock says how many are left', () => {
    const lines = [{ offer, requested: 5, available: 2 }];
    const refusal = { __typename: 'InsufficientStock', lines };
    expect(sentencesOf(refusal)).toEqual(['Only 2 left, you asked for 5.']);
    expect(sentencesOf(refusal, nameOf)).toEqual(['Trail Shoe: only 2 left, you asked for 5.']);
    const none = {
      __typename: 'InsufficientStock',
      lines: [{ offer, requested: 5, available: 0 }],
    };
    expect(sentencesOf(none, nameOf)).toEqual(['Trail Shoe: sold out.']);
  });

  it('of a purchase limit says the limit and what the customer has', () => {
    const limited = (already: number) => ({
      __typename: 'PurchaseLimitExceeded',
      lines: [{ offer, limit: 2, already }],
    });
    expect(sentencesOf(limited(1))).toEqual([
      'Limit 2 per customer, and you have 1 unit in your orders.',
    ]);
    expect(sentencesOf(limited(0))).toEqual(['Limit 2 per customer.']);
  });

  it('of changed prices says each price and the new total', () => {
    const lines = [{ offer, oldPrice: usd('10.00'), newPrice: usd('12.50') }];
    const refusal = { __typename: 'PriceChanged', lines, actual: usd('25.00') };
    expect(sentencesOf(refusal, nameOf)).toEqual([
      'Trail Shoe: was $10.00, is now $12.50.',
      'The total is now $25.00.',
    ]);
  });

  it('of a payment says why, and that nothing was charged', () => {
    const declined = { __typename: 'PaymentDeclined', code: 'INSUFFICIENT_FUNDS' };
    expect(sentencesOf(declined)).toEqual([
      'The account has too little money.',
      'Nothing was charged. Choose another payment method.',
    ]);
  });

  it('of a kind that was added later shows the message of the API', () => {
    expect(sentencesOf({ __typename: 'Later', message: 'Not today.' })).toEqual(['Not today.']);
  });
});
