const longAgo = Number.NEGATIVE_INFINITY;

/** What is physically in one warehouse of one variant. */
export class Shelf {
  /** units in the building */
  physical: number;
  unavailable = 0;
  buffer = 0;
  active = true;
  /** the time of the newest count */
  countedAtMs = longAgo;
  /** units that were lost, or found if fewer than 0, and that no count has shown since */
  #unnoticed: Array<{ readonly units: number; readonly atMs: number }> = [];

  constructor(physical: number) {
    this.physical = physical;
  }

  /** Units that the shop believes are in the building, parcels apart that left. */
  get believed(): number {
    return this.#unnoticed.reduce((total, { units }) => total + units, this.physical);
  }

  /** Units disappear, as far as there are some. Nobody knows, but the shop may already believe that they are gone. */
  lose(units: number, atMs: number, believedGone = 0): void {
    const gone = Math.min(units, this.physical);
    this.physical -= gone;
    this.#add(gone - believedGone, atMs);
  }

  /** It turns out that units were there since before the last count. */
  find(units: number): void {
    this.#add(units, longAgo);
  }

  #add(units: number, atMs: number): void {
    if (units !== 0) this.#unnoticed.push({ units, atMs });
  }

  /** A count shows what was lost before it. */
  count(atMs: number): void {
    this.countedAtMs = atMs;
    this.#unnoticed = this.#unnoticed.filter((each) => each.atMs > atMs);
  }
}
