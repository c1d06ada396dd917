import { useEffect } from 'preact/hooks';
import type { ProductCardFragment } from '../../graph/operations.js';
import { ProductPicture } from '../../pictures/product-picture.jsx';
import { watchSkus } from '../../stock/live-stock.js';
import { VariantsMeter } from '../../stock/stock-meter.jsx';
import { useInView } from '../../stock/use-in-view.js';
import { formatMoney } from '../../ui/format.js';

/** A product of the list. While it is in view, its stock is live. */
export function ProductCard({ product }: { readonly product: ProductCardFragment }) {
  const { id, name, slug, category, priceRange, variants } = product;
  const [ref, isInView] = useInView<HTMLElement>();
  const skus = variants.map(({ sku }) => sku);
  const key = skus.join(' ');
  useEffect(() => (isInView && key ? watchSkus(key.split(' ')) : undefined), [isInView, key]);
  return (
    <article class="card" ref={ref}>
      <ProductPicture id={id} name={name} category={category.name} />
      <div class="card-body">
        <p class="card-category">{category.name}</p>
        <h2 class="card-name">
          <a href={`/products/${encodeURIComponent(slug)}`}>{name}</a>
        </h2>
        <p class="card-price">
          {priceRange ? <Price range={priceRange} /> : <span class="faint">Not for sale</span>}
        </p>
        <VariantsMeter skus={skus} />
      </div>
    </article>
  );
}

function Price({ range }: { readonly range: NonNullable<ProductCardFragment['priceRange']> }) {
  const { lowest, highest } = range;
  const isRange = lowest.amount !== highest.amount;
  return (
    <>
      {isRange && <span class="faint">from </span>}
      {formatMoney(lowest)}
    </>
  );
}
