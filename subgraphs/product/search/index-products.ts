import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../shared/database/sql.js';
import { searchVector } from '../../shared/text/search-vector.js';
import { type Token, tokensOf } from '../../shared/text/tokens.js';
import { addWords, doubtWords } from './vocabulary.js';

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
 * Stores the search vectors of products. Every writer of a name or description calls it in the same transaction.
 *
 * @returns their words
 */
export async function indexProducts(
  tx: EntityManager,
  products: readonly SearchedProduct[],
): Promise<ReadonlySet<string>> {
  const split = products.map((product) => ({ ...product, ...tokensOfTexts(product) }));
  await sql(tx, writeSearch, [
    split.map(({ id }) => id),
    split.map(({ nameTokens, descriptionTokens }) =>
      searchVector([
        { tokens: nameTokens, weight: 'A' },
        { tokens: descriptionTokens, weight: 'C' },
      ]),
    ),
    split.map(({ nameTokens }) => englishWordsIn(nameTokens)),
    split.map(({ descriptionTokens }) => englishWordsIn(descriptionTokens)),
  ]);
  const words = split.flatMap(({ createdById, nameTokens, descriptionTokens }) =>
    wordsIn([...nameTokens, ...descriptionTokens]).map((word) => ({ word, vendorId: createdById })),
  );
  await addWords(tx, words);
  return new Set(words.map(({ word }) => word));
}

/** `indexProducts` of a product whose texts have changed; former words may occur nowhere any more. */
export async function indexAgain(
  tx: EntityManager,
  product: SearchedProduct,
  before: SearchedTexts,
): Promise<void> {
  const words = await indexProducts(tx, [product]);
  await doubtWords(
    tx,
    wordsOf(before).filter((word) => !words.has(word)),
  );
}

/** Takes a product that is deleted from the search. */
export async function unindexProduct(tx: EntityManager, product: SearchedProduct): Promise<void> {
  await sql(tx, `update product set search = '' where id = $1`, [product.id]);
  await doubtWords(tx, wordsOf(product));
}

/** PostgreSQL adds the stems of English words, with the same weights. */
const writeSearch = `update product p set search = made.vector::tsvector
    || setweight(to_tsvector('english', made.name), 'A')
    || setweight(to_tsvector('english', made.description), 'C')
  from unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) as made (id, vector, name, description)
  where p.id = made.id`;

const tokensOfTexts = ({ name, description }: SearchedTexts) => ({
  nameTokens: tokensOf(name),
  descriptionTokens: tokensOf(description),
});

const englishWordsIn = (tokens: readonly Token[]) =>
  tokens
    .filter(({ kind, text }) => kind === 'word' && /^[a-z]+$/.test(text))
    .map(({ text }) => text)
    .join(' ');

const wordsIn = (tokens: readonly Token[]) => [
  ...new Set(tokens.filter(({ kind }) => kind === 'word').map(({ text }) => text)),
];

function wordsOf(texts: SearchedTexts): string[] {
  const { nameTokens, descriptionTokens } = tokensOfTexts(texts);
  return wordsIn([...nameTokens, ...descriptionTokens]);
}
