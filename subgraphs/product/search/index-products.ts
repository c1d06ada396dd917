import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../shared/database/sql.js';
import { searchVector } from '../../shared/text/search-vector.js';
import { tokensOf } from '../../shared/text/tokens.js';
import { addWords, doubtWords } from './vocabulary.js';

/** What a product is found by. */
export interface SearchedProduct {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  /** the vendor, on whose account new words go */
  readonly createdById: string;
}

/** Stores what products are found by. Every writer of a name or description calls it in the same transaction. */
export async function indexProducts(
  tx: EntityManager,
  products: readonly SearchedProduct[],
): Promise<void> {
  await sql(tx, writeSearch, [
    products.map(({ id }) => id),
    products.map(({ name, description }) =>
      searchVector([
        { text: name, weight: 'A' },
        { text: description, weight: 'C' },
      ]),
    ),
    products.map(({ name }) => englishWordsOf(name)),
    products.map(({ description }) => englishWordsOf(description)),
  ]);
  await addWords(
    tx,
    products.flatMap((product) =>
      wordsOf(product).map((word) => ({ word, vendorId: product.createdById })),
    ),
  );
}

/** `indexProducts` of a product whose texts have changed; former words may occur nowhere any more. */
export async function indexAgain(
  tx: EntityManager,
  product: SearchedProduct,
  before: Pick<SearchedProduct, 'name' | 'description'>,
): Promise<void> {
  await indexProducts(tx, [product]);
  const words = new Set(wordsOf(product));
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

const englishWordsOf = (text: string) =>
  tokensOf(text)
    .filter(({ kind, text: word }) => kind === 'word' && /^[a-z]+$/.test(word))
    .map(({ text: word }) => word)
    .join(' ');

const wordsOf = ({ name, description }: Pick<SearchedProduct, 'name' | 'description'>) => [
  ...new Set(
    [...tokensOf(name), ...tokensOf(description)]
      .filter(({ kind }) => kind === 'word')
      .map(({ text }) => text),
  ),
];
