import { loadRows } from '../../load-rows.js';
import { Payment } from './payment.js';

export const loadPayments = loadRows(Payment);
