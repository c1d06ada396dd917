import type { AmountFragment } from '../graph/operations.js';
import { formatMoney } from './format.js';

/** The sum of a cart or order; null if it is in several currencies. */
export function Total({ total }: { readonly total: AmountFragment | null }) {
  return (
    <p class="total">
      <span>Total</span>
      <strong>{total ? formatMoney(total) : 'in several currencies'}</strong>
    </p>
  );
}
