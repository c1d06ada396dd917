/** The units of one stock level, by state. */
export interface LevelUnits {
  /** in the building, packed parcels included, until they are marked as shipped */
  readonly onHand: number;
  /** held for unpaid orders */
  readonly reserved: number;
  /** paid and not shipped */
  readonly committed: number;
  /** damaged or quarantined */
  readonly unavailable: number;
  /** kept back from sale */
  readonly buffer: number;
}

export const noUnits: LevelUnits = {
  onHand: 0,
  reserved: 0,
  committed: 0,
  unavailable: 0,
  buffer: 0,
};

type Promised = Omit<LevelUnits, 'buffer'>;

/** Units that are neither promised nor unavailable, the buffer included; below 0 if some are short. */
export const freeUnits = ({ onHand, reserved, committed, unavailable }: Promised): number =>
  onHand - reserved - committed - unavailable;

/** Units that can be sold from a level of an active warehouse. */
export const availableUnits = (level: LevelUnits): number =>
  Math.max(0, freeUnits(level) - level.buffer);

/** Units that are promised beyond those that are there. */
export const shortfallOf = (level: Promised): number => Math.max(0, -freeUnits(level));

/** `freeUnits` in SQL. @param of prefix of the columns, such as `l.` */
export const freeUnitsSql = (of = '') =>
  `${of}on_hand - ${of}reserved - ${of}committed - ${of}unavailable`;

/** `availableUnits` in SQL. @param of prefix of the columns, such as `l.` */
export const availableUnitsSql = (of = '') => `greatest(0, ${freeUnitsSql(of)} - ${of}buffer)`;

/** `shortfallOf` in SQL. @param of prefix of the columns, such as `l.` */
export const shortfallSql = (of = '') =>
  `greatest(0, ${of}reserved + ${of}committed + ${of}unavailable - ${of}on_hand)`;
