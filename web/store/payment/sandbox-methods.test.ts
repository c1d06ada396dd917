import { specialMethods } from '../../../dev/payment-sandbox/payments/methods.js';
import { sandboxMethods } from './sandbox-methods.js';

describe('the payment methods of the store', () => {
  it('are all of the sandbox, and one that simply succeeds', () => {
    const names = sandboxMethods.map(({ name }) => name);
    expect(names.toSorted()).toEqual(['Credit Card', ...specialMethods].toSorted());
  });
});
