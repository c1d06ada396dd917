import type { Opt } from '@mikro-orm/core';
import { Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import type { EntityManager } from '@mikro-orm/postgresql';
import { isTooSlow } from '../../shared/database/errors.js';
import { Retained } from '../../shared/database/retention.js';
import { sql, sqlCount } from '../../shared/database/sql.js';

/** Words with which misspelled ones are compared, in characters. */
export const wordLength = { min: 3, max: 40 } as const;
/**
 * New words of one vendor, some more if several products are created at once: others are found, but correct no
 * misspelled ones.
 */
export const wordsOfVendorMax = 20_000;
/** Words of one product that are in the vocabulary: the first of its name and description. */
export const wordsOfProductMax = 500;
// The scripts with an alphabet or a consonant alphabet: in others, similar words are not misspelled ones.
const alphabets = ['Latin', 'Greek', 'Cyrillic', 'Armenian', 'Georgian', 'Hebrew', 'Arabic'];
const letters = alphabets.map((name) => String.raw`\p{Script=${name}}`).join('');
const correctable = new RegExp(
  String.raw`^(?=.*[${letters}])[${letters}\p{M}\p{N}]{${wordLength.min},${wordLength.max}}$`,
  'u',
);

/** Whether a folded word is in the vocabulary, and may be a misspelled one of it. */
export const isCorrectable = (word: string): boolean => correctable.test(word);

/**
 * A word of a name or description. Misspelled words of a search are compared with these rather than with every
 * text.
 */
@Retained({ permanently: 'as long as a product has the word: see `pruneWords`' })
@Entity({ tableName: 'search_word' })
@Index({
  name: 'search_word_similar',
  expression:
    'create index search_word_similar on search_word using gist (word gist_trgm_ops) where doubtful_at is null or is_shared',
})
@Index({
  name: 'search_word_known',
  expression:
    'create index search_word_known on search_word (word) where doubtful_at is null or is_shared',
})
@Index({ name: 'search_word_vendor', properties: ['vendorId'] })
@Index({
  name: 'search_word_doubtful',
  expression:
    'create index search_word_doubtful on search_word (doubtful_at) where doubtful_at is not null',
})
export class SearchWord {
  @PrimaryKey({ type: 'text', collation: 'C' })
  word!: string;

  /** of the first product with it */
  @Property({ type: 'uuid', nullable: true })
  vendorId!: string | null;

  /** since when it may occur nowhere any more; null: some product has it */
  @Property({ type: 'timestamptz', nullable: true })
  doubtfulAt!: Date | null;

  /** whether more than one product has had it since it was added */
  @Property({ type: 'boolean', default: true })
  isShared!: Opt<boolean>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;
}

/** SQL for a word that is in no product any more, as the only one that had it has lost it: it stays until it is pruned. */
const isGone = 'doubtful_at is not null and not is_shared';
/** SQL for a word that is not gone, by search_word_known and search_word_similar. */
export const isKnown = '(doubtful_at is null or is_shared)';

/** A word of a product, with the vendor of the product. */
export interface WordOfVendor {
  readonly word: string;
  readonly vendorId: string;
}

/**
 * Adds words that products have got to the vocabulary, as far as their vendors have room. Words are locked in their
 * order.
 */
export async function addWords(tx: EntityManager, added: readonly WordOfVendor[]): Promise<void> {
  const given = added.filter(({ word }) => isCorrectable(word));
  const words = given.map(({ word }) => word);
  const known = await trust(tx, words);
  const inserted = await sql<{ word: string }>(
    tx,
    `with missing as (
       select distinct on (word) word, vendor_id, count(*) over (partition by word) > 1 as is_shared
       from unnest($1::text[], $2::uuid[]) as given (word, vendor_id)
       where not exists (select from search_word known where known.word = given.word)
       order by word
     ), room as materialized (
       select vendor_id, $3 - (select count(*) from search_word w where w.vendor_id = v.vendor_id) as words
       from (select distinct vendor_id from missing) as v
     ), numbered as (
       select *, row_number() over (partition by vendor_id order by word) as n from missing)
     insert into search_word (word, vendor_id, is_shared)
     select word, vendor_id, is_shared from numbered join room using (vendor_id) where n <= words order by word
     -- Of a product that was written meanwhile.
     on conflict (word) do update set is_shared = true returning word`,
    [words, given.map(({ vendorId }) => vendorId), wordsOfVendorMax],
  );
  const seen = new Set([...known, ...inserted].map(({ word }) => word));
  const addedMeanwhile = words.filter((word) => !seen.has(word));
  if (addedMeanwhile.length > 0) await share(tx, addedMeanwhile);
}

/**
 * A word that is written again is not pruned, and is shared unless it was gone. Before the insert, so that it sees
 * words that were pruned meanwhile.
 *
 * @returns the words that were there
 */
const trust = (tx: EntityManager, words: readonly string[]) =>
  sql<{ word: string }>(
    tx,
    `with changing as (
       select word from search_word
       where word = any($1::text[]) and (doubtful_at is not null or not is_shared)
       order by word for update
     ), changed as (
       update search_word w set doubtful_at = null, is_shared = not (${isGone})
       from changing c where w.word = c.word)
     select word from search_word where word = any($1::text[])`,
    [words],
  );

/** Words that another transaction added between the two statements: its product has them too. */
const share = (tx: EntityManager, words: readonly string[]) =>
  sql(
    tx,
    `with changing as (
       select word from search_word where word = any($1::text[]) and not is_shared
       order by word for update)
     update search_word w set doubtful_at = null, is_shared = true
     from changing c where w.word = c.word`,
    [words],
  );

/**
 * Marks words that a product had, so that `pruneWords` looks whether another one has them. One that a product of
 * another vendor has added is shared: this one had it before, and its vendor had no room.
 */
export const doubtWords = (tx: EntityManager, lost: readonly WordOfVendor[]) =>
  sql(
    tx,
    `with lost as (
       select distinct word, vendor_id from unnest($1::text[], $2::uuid[]) as given (word, vendor_id)
     ), sure as (
       select word, w.vendor_id is distinct from lost.vendor_id as is_of_others
       from search_word w join lost using (word)
       where doubtful_at is null or doubtful_at < now() - interval '${doubtsEvery}'
       order by word for update of w)
     update search_word w set doubtful_at = now(), is_shared = is_shared or is_of_others
     from sure s where w.word = s.word`,
    [lost.map(({ word }) => word), lost.map(({ vendorId }) => vendorId)],
  );
/** So that words of many products are not written for each of them. */
const doubtsEvery = '5 minutes';

// Longer than any transaction: a product that is being written with a doubtful word is seen by the look after it.
const doubtMin = '1 hour';
const batchMax = 100;
/** The newest products have most words that many have: of those, no index is asked, which would read all of them. */
const sampleMax = 1000;

/**
 * Deletes words that no product has had for an hour; of the others the doubt is dropped, unless a product lost the word
 * meanwhile.
 *
 * @returns the number of deleted words
 */
export async function pruneWords(
  em: EntityManager,
  isStopping: () => boolean = () => false,
): Promise<number> {
  let deleted = 0;
  for (let left = batchMax; left === batchMax && !isStopping(); ) {
    const doubts = await sql<Doubt>(
      em.fork(),
      `select word, doubtful_at::text as since from search_word
       where doubtful_at < now() - interval '${doubtMin}' order by doubtful_at limit ${batchMax}`,
    );
    const used = await readSampledWords(em, doubts);
    for (const doubt of doubts) {
      const isUsed = used.has(doubt.word) || (await isInProduct(em, doubt.word));
      const settled = await sqlCount(em.fork(), isUsed ? dropDoubt : deleteWord, [
        doubt.word,
        doubt.since,
      ]);
      if (!isUsed) deleted += settled;
    }
    left = doubts.length;
  }
  return deleted;
}

interface Doubt {
  readonly word: string;
  readonly since: string;
}

async function readSampledWords(em: EntityManager, doubts: readonly Doubt[]) {
  const rows = await sql<{ word: string }>(
    em.fork(),
    `select distinct lexeme as word from (
       select search from product where deleted_at is null order by id desc limit ${sampleMax}) as newest,
       unnest(search) where lexeme = any($1::text[])`,
    [doubts.map(({ word }) => word)],
  );
  return new Set(rows.map(({ word }) => word));
}

/** True also if it takes too long to find out: then many products have it. */
async function isInProduct(em: EntityManager, word: string): Promise<boolean> {
  try {
    const [row] = await sql<{ found: boolean }>(em.fork(), isInProductSql, [`'${word}'`]);
    return row?.found ?? false;
  } catch (error) {
    if (isTooSlow(error)) return true;
    throw error;
  }
}

const isInProductSql = 'select exists (select from product where search @@ $1::tsquery) as found';

const isUnchanged = 'word = $1 and doubtful_at = $2::timestamptz';
const deleteWord = `delete from search_word where ${isUnchanged}`;
// Some product has it, and it is not known how many have.
const dropDoubt = `update search_word set doubtful_at = null, is_shared = true where ${isUnchanged}`;
