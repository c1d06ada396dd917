/** How long before the start of a sale the list of early tickets closes. */
export const listClosesBeforeS = 30;

/** How long before the start of a sale the value of the beacon is due. */
export const beaconBeforeS = 15;

/** SQL for when the list of a `sale_queue` closes. */
export const listClosesSql = (queue: string) =>
  `${queue}.starts_at - interval '${listClosesBeforeS} s'`;

export const listClosesAt = ({ startsAt }: { readonly startsAt: Date }): Date =>
  new Date(startsAt.getTime() - listClosesBeforeS * 1000);
