import { loadBy } from '../../../shared/graphql/load.js';
import { Payment } from './payment.js';

export const loadPayments = loadBy(Payment, 'id');
