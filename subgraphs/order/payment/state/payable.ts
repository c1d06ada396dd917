/**
 * SQL for an order that can still be paid by a call to the provider that begins now: it is pending, and its
 * hold outlasts the call.
 *
 * @param limitMs the longest time for which the call may go on
 */
export const isPayableSql = (limitMs: string) =>
  `status = 'PENDING' and number is not null
    and expires_at > now() + ${limitMs}::float8 * interval '1 ms'`;
