import { Registry } from '../../subgraphs/shared/observability/metrics.js';
import type { OperationClass } from '../context.js';
import { createAdmission } from './admission.js';

describe('operations of unknown texts', () => {
  const payOrder = 'mutation Pay($id: ID!) { payOrder(id: $id) { id } }';
  const limits = { query: 2, mutation: 2, payment: 2, unparsed: 2 };
  function createFilled() {
    const admission = createAdmission(limits, new Registry());
    const known = admission.admit(payOrder);
    known?.setClass('payment');
    known?.end();
    // A client that writes arguments into the text.
    const unknown = Array.from({ length: 3 }, (_, n) => admission.admit(`{ product(id: "${n}") }`));
    return { admission, unknown };
  }

  it('are limited until they are parsed, and take no place of a known payment', () => {
    const { admission, unknown } = createFilled();
    expect(unknown.map(Boolean)).toEqual([true, true, false]);
    const payments = [1, 2, 3].map(() => admission.admit(payOrder));
    expect(payments.map((each) => each?.operationClass)).toEqual(['payment', 'payment', undefined]);
    expect(payments[2]).toBeNull();
  });

  it.each<OperationClass>(['query', 'mutation', 'payment'])(
    'are counted as a %s once they are parsed, or refused',
    (actual) => {
      const { admission, unknown } = createFilled();
      expect(unknown[0]?.operationClass).toBeUndefined();
      for (const each of unknown) each?.setClass(actual);
      expect(unknown[0]?.operationClass).toBe(actual);
      const late = admission.admit('another text');
      expect(() => late?.setClass(actual)).toThrow(/try again/);
      late?.end();
      for (const each of unknown) each?.end();
      expect(() => admission.admit('yet another')?.setClass(actual)).not.toThrow();
    },
  );
});
