import type pg from 'pg';
import type { Buyer } from '../../dev/seed/buyers.js';
import type { Vendor } from '../checkout/vendor.js';
import type { CaseResult, Check } from '../report.js';
import type { GraphQLClient } from '../router/operations.js';
import type { SystemProcesses } from '../system-processes.js';

/** The system that all parts use, one after the other. */
export interface Place {
  readonly system: SystemProcesses;
  readonly router: GraphQLClient;
  /** clients of the databases */
  readonly order: pg.Client;
  readonly product: pg.Client;
  readonly shop: pg.Client;
  readonly warehouse: pg.Client;
  /** a client of the administrator, who sees all connections */
  readonly admin: pg.Client;
  readonly postgresId: number;
  /** A vendor with a token that is valid for 15 minutes. */
  vendor(): Promise<Vendor>;
  /** New customers, with tokens that are valid for 15 minutes. */
  buyers(count: number): Promise<Buyer[]>;
  progress(line: string): void;
}

/** A part of the benchmark. */
export type Part = (place: Place) => Promise<{
  readonly results: readonly CaseResult[];
  readonly checks: readonly Check[];
}>;

export const equalCheck = (name: string, value: number, wanted: number): Check => ({
  name,
  value,
  target: `${wanted}`,
  pass: value === wanted,
});

export const belowCheck = (name: string, value: number, max: number): Check => ({
  name,
  value,
  target: `< ${max}`,
  pass: value < max,
});
