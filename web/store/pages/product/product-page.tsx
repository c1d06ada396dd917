import { useLocation, useRoute } from 'preact-iso';
import { ProductPageDocument, type ProductPageQuery } from '../../graph/operations.js';
import { ProductPicture } from '../../pictures/product-picture.jsx';
import { useQuery } from '../../session/use-query.js';
import { ErrorNotice } from '../../ui/error-notice.jsx';
import { Loading } from '../../ui/loading.jsx';
import { Empty, Page } from '../../ui/page.jsx';
import { NotFoundPage } from '../not-found-page.jsx';
import { VariantOffers } from './variant-offers.jsx';

/** A product: its variants, and the offers of the one that is chosen. */
export function ProductPage() {
  const { slug = '' } = useRoute().params;
  const { query } = useLocation();
  const { current, error, reload } = useQuery(ProductPageDocument, { slug }, { isPublic: true });
  if (!current) {
    return error.value ? (
      <Page title="Product">
        <ErrorNotice error={error.value} retry={reload} />
      </Page>
    ) : (
      <Loading label="Loading the product …" />
    );
  }
  const { product } = current;
  if (!product) return <NotFoundPage text="This product does not exist any more." />;
  const { id, name, description, category, variants } = product;
  const chosen = variants.find(({ sku }) => sku === query.sku) ?? bestOf(variants);
  return (
    <Page title={name}>
      <div class="product">
        <ProductPicture id={id} name={name} category={category.name} />
        <div class="stack">
          <p>
            <a class="card-category" href={`/?category=${category.id}`}>
              {category.name}
            </a>
          </p>
          <p class="description">{description}</p>
          {chosen ? (
            <>
              {variants.length > 1 && <VariantChoice variants={variants} chosen={chosen} />}
              <VariantOffers sku={chosen.sku} key={chosen.sku} />
            </>
          ) : (
            <Empty title="It is not for sale any more." />
          )}
        </div>
      </div>
    </Page>
  );
}

type Variant = NonNullable<ProductPageQuery['product']>['variants'][number];

/** The first variant that can be bought, or the first one. */
function bestOf(variants: readonly Variant[]): Variant | undefined {
  const isAvailable = ({ availability }: Variant) => (availability?.available ?? 0) > 0;
  return variants.find(isAvailable) ?? variants[0];
}

interface VariantChoiceProps {
  readonly variants: readonly Variant[];
  readonly chosen: Variant;
}

function VariantChoice({ variants, chosen }: VariantChoiceProps) {
  const { path, route } = useLocation();
  return (
    <fieldset class="variants">
      <legend>Variant</legend>
      {variants.map(({ sku, name }) => (
        <label key={sku} class="variant">
          <input
            type="radio"
            name="variant"
            value={sku}
            checked={sku === chosen.sku}
            onChange={() => route(`${path}?sku=${encodeURIComponent(sku)}`, true)}
          />
          <span class="variant-name">{name}</span>
        </label>
      ))}
    </fieldset>
  );
}
