/** Why a shop cancels a paid shop order. */
export const shopCancelReasons = [
  'OUT_OF_STOCK',
  'DAMAGED',
  'CUSTOMER_REQUEST',
  'FRAUD',
  'PRICING_ERROR',
  'OTHER',
] as const;
export type ShopCancelReason = (typeof shopCancelReasons)[number];

/** Why paid units are cancelled. `PAYMENT_FAILED`: the capture of the payment was refused. */
export const unitsCancelReasons = [...shopCancelReasons, 'PAYMENT_FAILED'] as const;
export type UnitsCancelReason = (typeof unitsCancelReasons)[number];
