import { createUnionType } from 'type-graphql';
import {
  InsufficientStock,
  OfferGone,
  PurchaseLimitExceeded,
} from '../checkout/checkout-result.js';
import { Cart } from './cart.js';

export const CartResult = createUnionType({
  name: 'CartResult',
  description: 'The cart as it is now, or why it was not changed.',
  types: () => [Cart, InsufficientStock, PurchaseLimitExceeded, OfferGone] as const,
});
