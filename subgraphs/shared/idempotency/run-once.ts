import type { EntityManager } from '@mikro-orm/postgresql';
import { assert } from '../assert.js';
import { identityOf } from '../auth/callers.js';
import { sqlWith } from '../database/sql.js';
import { type Once, transact } from '../database/transact.js';
import { DomainError, isTryAgain, notFound } from '../errors.js';
import type { SubgraphContext } from '../graphql/context.js';
import { Refusal } from '../graphql/refusal.js';
import { fingerprintOf } from './claim-key.js';
import { readKey } from './key-field.js';
import {
  claimInTransaction,
  findOutcome,
  type RequestKey,
  RequestRepeated,
  storeInTransaction,
} from './stored-outcome.js';

// biome-ignore lint/suspicious/noExplicitAny: a class of any result
type ResultClass = new (...values: any[]) => object;

export interface Mutation<C extends ResultClass> {
  /** its name */
  readonly operation: string;
  readonly input: { readonly idempotencyKey?: string | null | undefined };
  /** the classes of its result; none if it returns true */
  readonly results?: readonly C[];
}

type ResultOf<C extends ResultClass> = [C] extends [never] ? boolean : InstanceType<C>;

/**
 * Runs a mutation once for each key of its user: a repeat returns what the first request returned, even if
 * its answer was lost. An entity is read again, a refusal is returned as it was. An error is not stored, as
 * nothing happened: the mutation then runs again.
 *
 * @param run passes `once` on to its one transaction, whose value it returns. A refusal may be returned
 *   without a transaction
 * @throws `IDEMPOTENCY_KEY_REUSED` for another request under the same key; `TRY_AGAIN` while the first
 *   request takes too long
 */
export async function runOnce<C extends ResultClass = never>(
  context: SubgraphContext,
  { operation, input, results = [] }: Mutation<C>,
  run: (once?: Once<ResultOf<C>>) => Promise<ResultOf<C>>,
): Promise<ResultOf<C>> {
  type T = ResultOf<C>;
  const { idempotencyKey, ...request } = input;
  const clientKey = readKey(idempotencyKey);
  if (clientKey === null) return run();
  const identity = identityOf(context);
  const key: RequestKey = {
    userId: identity.id,
    operation,
    key: clientKey,
    // An outcome is not returned to a user whose role, and so whose rights, have changed.
    fingerprint: fingerprintOf([identity.role, request]),
  };
  const read = (outcome: object) => decode<T>(context.em, outcome as Outcome, results);
  const before = await findOutcome(sqlWith(context.em), key);
  if (before) return read(before);
  const once = new KeyedTransaction<T>(key, results);
  const store = (value: () => T) => transact(context.em, async () => value(), once);
  try {
    const value = await run(once).catch((error) => {
      if (once.isBegun || !isFinal(error)) throw error;
      // The first request may have caused the error, and be in its transaction still.
      return store(() => {
        throw error;
      });
    });
    if (once.isStored) return value;
    assert(value instanceof Refusal, 'what a key stands for changes in its transaction', operation);
    return await store(() => value);
  } catch (error) {
    if (error instanceof RequestRepeated) return read(error.outcome);
    throw error;
  }
}

const isFinal = (error: unknown) => error instanceof DomainError && !isTryAgain(error);

class KeyedTransaction<T> implements Once<T> {
  isBegun = false;
  isStored = false;

  constructor(
    private readonly key: RequestKey,
    private readonly results: readonly ResultClass[],
  ) {}

  async begin(tx: EntityManager): Promise<void> {
    this.isBegun = true;
    await claimInTransaction(sqlWith(tx), this.key);
  }

  async end(tx: EntityManager, value: T): Promise<void> {
    await storeInTransaction(sqlWith(tx), this.key, encode(tx, value, this.results));
    this.isStored = true;
  }
}

/** A result, as stored: true, an entity by its primary key, or an object by its fields. */
type Outcome =
  | { readonly value: boolean }
  | { readonly type: string; readonly key: Readonly<Record<string, unknown>> }
  | { readonly type: string; readonly fields: object };

function encode(em: EntityManager, value: unknown, results: readonly ResultClass[]): Outcome {
  if (typeof value === 'boolean') return { value };
  const found = results.find((each) => value instanceof each);
  assert(found !== undefined, 'the result of a mutation has one of its classes', String(value));
  const type = found.name;
  if (!isEntity(em, found)) return { type, fields: value as object };
  const { primaryKeys } = em.getMetadata().get(found);
  const properties = value as Readonly<Record<string, unknown>>;
  return { type, key: Object.fromEntries(primaryKeys.map((name) => [name, properties[name]])) };
}

async function decode<T>(
  em: EntityManager,
  outcome: Outcome,
  results: readonly ResultClass[],
): Promise<T> {
  if ('value' in outcome) return outcome.value as T;
  const found = results.find(({ name }) => name === outcome.type);
  assert(found !== undefined, 'a stored outcome has a class of its mutation', outcome.type);
  if ('fields' in outcome) return Object.assign(new found(), outcome.fields) as T;
  const entity = await em.fork().findOne(found as ResultClass, outcome.key as never);
  // The database does not keep the order of the properties: the last one may be the shop.
  const { key } = outcome;
  const id = (key.id ?? Object.values(key).at(-1)) as string;
  if (!entity) throw notFound(wordsOf(outcome.type), id);
  return entity as T;
}

const isEntity = (em: EntityManager, type: ResultClass) => em.getMetadata().has(type);

/** `StockCount` → `stock count` */
const wordsOf = (type: string) => type.replace(/(?<=.)([A-Z])/g, ' $1').toLowerCase();
