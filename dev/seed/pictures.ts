import pg from 'pg';
import { catalogueOf, type StoreProduct } from './catalogue.js';
import { seedId } from './ids.js';

/**
 * The picture links of a product. Only the demo products have pictures, which the router serves.
 *
 * @param storeUrl address of the router
 */
export const picturesOf = ({ slug, isDemo }: StoreProduct, storeUrl: string): string[] =>
  isDemo ? [new URL(`/assets/pictures/${slug}.svg`, storeUrl).href] : [];

/**
 * Points the seeded picture links of the demo products to another address of the router. Products whose pictures
 * someone has changed stay as they are, and so does a link that is right.
 */
export async function movePictures(url: string, storeUrl: string): Promise<void> {
  const demo = catalogueOf(0).products;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    // Until version 0.1.0 the links were those to images.example.com, where there is nothing.
    await client.query(
      `update product p set images = array[demo.picture], updated_at = now()
       from unnest($1::uuid[], $2::text[], $3::text[]) as demo (id, slug, picture)
       where p.id = demo.id and cardinality(p.images) = 1 and p.images[1] <> demo.picture
         and (p.images[1] = 'https://images.example.com/' || demo.slug || '.jpg'
           or p.images[1] ~ ('^https?://[^/]+/assets/pictures/' || demo.slug || '\\.svg$'))`,
      [
        demo.map(({ n }) => seedId('product', n)),
        demo.map(({ slug }) => slug),
        demo.flatMap((product) => picturesOf(product, storeUrl)),
      ],
    );
  } finally {
    await client.end();
  }
}
