export interface Order {
  readonly id: string;
  state: 'HELD' | 'COMMITTED' | 'RELEASED' | 'RELEASED: OUT_OF_STOCK' | 'EXPIRED';
  /** units of each shelf that are reserved, or to be shipped */
  units: number[];
}

/** A parcel that left, which is not recorded yet. */
export interface Parcel {
  readonly order: Order;
  readonly leftAtMs: number;
  readonly units: readonly number[];
}

export interface Transfer {
  id: string;
  readonly from: number;
  readonly to: number;
  inTransit: number;
  status: 'IN_TRANSIT' | 'RECEIVED' | 'CANCELLED';
}

/** The units of a level. */
export interface Units {
  readonly onHand: number;
  readonly reserved: number;
  readonly committed: number;
  readonly unavailable: number;
  readonly buffer: number;
  readonly shortfall: number;
  readonly incoming: number;
  readonly active: boolean;
}
