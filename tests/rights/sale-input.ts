import { randomUUID } from 'node:crypto';

/** A sale that starts in an hour, with all that one can have. */
export const saleOf = (shopId: string) => ({
  ...{ shopId, name: 'Sale', slug: `sale-${randomUUID()}`, idempotencyKey: randomUUID() },
  startsAt: new Date(Date.now() + 3_600_000).toISOString(),
  endsAt: new Date(Date.now() + 7_200_000).toISOString(),
  ...{ holdMinutes: 5, admission: 'OPEN' },
  ...{ eligibility: 'ACCOUNT_BEFORE', accountBefore: new Date().toISOString() },
});
