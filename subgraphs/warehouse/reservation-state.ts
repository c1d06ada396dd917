/**
 * A reservation starts as `HELD` and ends once: it is sold to a payment (`COMMITTED`), given back
 * (`RELEASED`), or its time is up (`EXPIRED`). `endHeld` is the only code that changes a state.
 */
export const reservationStates = ['HELD', 'COMMITTED', 'RELEASED', 'EXPIRED'] as const;
export type ReservationState = (typeof reservationStates)[number];
