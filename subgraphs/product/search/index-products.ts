import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../shared/database/sql.js';
import { searchVector } from '../../shared/text/search-vector.js';
import { type Token, tokensOf } from '../../shared/text/tokens.js';
import { addWords, doubtWords, isCorrectable, wordsOfProductMax } from './vocabulary.js';

/** The texts of a product that are searched. */
interface SearchedTexts {
  readonly name: string;
  readonly description: string;
}
export interface SearchedProduct extends SearchedTexts {
  readonly id: string;
  /** the vendor, whose limit new words count against */
  readonly createdById: string;
}

/**
 * Stores the search vectors of products and adds their words to the vocabulary. Every writer of a name or description
 * calls it in the same transaction, or `indexAgain`.
 */
export async function indexProducts(
  tx: EntityManager,
  products: readonly SearchedProduct[],
): Promise<void> {
  const split = products.map((product) => ({ product, tokens: tokensOfTexts(product) }));
  await writeVectors(tx, split);
  await addWords(
    tx,
    split.flatMap(({ product, tokens }) => ofVendor(product, [...wordsIn(tokens)])),
  );
}

/**
 * `indexProducts` of a product whose texts have changed: words that it had before are not added, and former ones may
 * occur nowhere any more.
 */
export async function indexAgain(
  tx: EntityManager,
  product: SearchedProduct,
  before: SearchedTexts,
): Promise<void> {
  const tokens = tokensOfTexts(product);
  await writeVectors(tx, [{ product, tokens }]);
  const words = wordsIn(tokens);
  const former = wordsIn(tokensOfTexts(before));
  await addWords(tx, ofVendor(product, without(words, former)));
  await doubtWords(tx, ofVendor(product, without(former, words)));
}

/** Takes a product that is deleted from the search. */
export async function unindexProduct(tx: EntityManager, product: SearchedProduct): Promise<void> {
  await sql(tx, `update product set search = '' where id = $1`, [product.id]);
  await doubtWords(tx, ofVendor(product, [...wordsIn(tokensOfTexts(product))]));
}

interface Tokens {
  readonly nameTokens: readonly Token[];
  readonly descriptionTokens: readonly Token[];
}

/** PostgreSQL adds the stems of English words, with the same weights. */
const writeVectors = (
  tx: EntityManager,
  split: ReadonlyArray<{ readonly product: SearchedProduct; readonly tokens: Tokens }>,
) =>
  sql(
    tx,
    `update product p set search = made.vector::tsvector
       || setweight(to_tsvector('english', made.name), 'A')
       || setweight(to_tsvector('english', made.description), 'C')
     from unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) as made (id, vector, name, description)
     where p.id = made.id`,
    [
      split.map(({ product }) => product.id),
      split.map(({ tokens: { nameTokens, descriptionTokens } }) =>
        searchVector([
          { tokens: nameTokens, weight: 'A' },
          { tokens: descriptionTokens, weight: 'C' },
        ]),
      ),
      split.map(({ tokens }) => englishWordsIn(tokens.nameTokens)),
      split.map(({ tokens }) => englishWordsIn(tokens.descriptionTokens)),
    ],
  );

const tokensOfTexts = ({ name, description }: SearchedTexts): Tokens => ({
  nameTokens: tokensOf(name),
  descriptionTokens: tokensOf(description),
});

const englishWordsIn = (tokens: readonly Token[]) =>
  tokens
    .filter(({ kind, text }) => kind === 'word' && /^[a-z]+$/.test(text))
    .map(({ text }) => text)
    .join(' ');

/** The first words of a product, in the order of its texts: it adds no others to the vocabulary, and doubts no others. */
function wordsIn({ nameTokens, descriptionTokens }: Tokens): Set<string> {
  const words = [...nameTokens, ...descriptionTokens].flatMap(({ kind, text }) =>
    kind === 'word' && isCorrectable(text) ? text : [],
  );
  return new Set([...new Set(words)].slice(0, wordsOfProductMax));
}

const without = (words: ReadonlySet<string>, others: ReadonlySet<string>) =>
  [...words].filter((word) => !others.has(word));

const ofVendor = ({ createdById: vendorId }: SearchedProduct, words: readonly string[]) =>
  words.map((word) => ({ word, vendorId }));
