import { batch } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import {
  type ProductCardFragment,
  ProductsDocument,
  type ProductsQuery,
} from '../../graph/operations.js';
import { requestPublic } from '../../session/request.js';
import { useQuery } from '../../session/use-query.js';
import { noteTotal } from '../../stock/live-stock.js';
import { ErrorNotice } from '../../ui/error-notice.jsx';
import { SkeletonCards } from '../../ui/loading.jsx';
import { MorePages } from '../../ui/more-pages.jsx';
import { Notice } from '../../ui/notice.jsx';
import { Empty, Page } from '../../ui/page.jsx';
import { useMorePages } from '../../ui/use-more-pages.js';
import { Filters } from './filters.jsx';
import { filterOf, isEmptyRange, readChoice } from './list-address.js';
import { ProductCard } from './product-card.jsx';

type ProductPage = ProductsQuery['products'];

function noteStock({ edges }: ProductPage): void {
  batch(() => {
    for (const { node } of edges) {
      for (const { sku, availability } of node.variants) {
        if (availability) noteTotal(sku, availability);
      }
    }
  });
}

/** The catalogue, with filters. */
export function ProductsPage() {
  const { query } = useLocation();
  const choice = readChoice(query);
  const variables = { filter: filterOf(choice), sort: choice.sort };
  const { data, current, error, isLoading, reload } = useQuery(ProductsDocument, variables, {
    isPublic: true,
  });
  // While another list is loading, the one before stays; not if that fails.
  const first = (error.value ? current : data.value)?.products;
  // What is shown belongs to these.
  const shown = useRef(variables);
  if (current) shown.current = variables;
  useEffect(() => {
    if (first) noteStock(first);
  }, [first]);
  const title = choice.search.trim() ? `“${choice.search.trim()}”` : 'Products';
  return (
    <Page title={title}>
      <Filters choice={choice} />
      {isEmptyRange(choice) ? (
        <Notice tone="warning">
          <p>The lowest price is above the highest. Change one of them.</p>
        </Notice>
      ) : (
        <ErrorNotice error={error.value} retry={reload} />
      )}
      {!first && !error.value && <SkeletonCards />}
      {first && (
        <div class={isLoading.value ? 'is-stale' : undefined} aria-busy={isLoading.value}>
          <ProductList
            key={JSON.stringify(shown.current)}
            first={first}
            variables={shown.current}
          />
        </div>
      )}
    </Page>
  );
}

interface ProductListProps {
  readonly first: ProductPage;
  readonly variables: {
    filter: ReturnType<typeof filterOf>;
    sort: ReturnType<typeof readChoice>['sort'];
  };
}

function ProductList({ first, variables }: ProductListProps) {
  const list = useMorePages(JSON.stringify(variables), first, async (after) => {
    const { products: next } = await requestPublic(ProductsDocument, { ...variables, after });
    noteStock(next);
    return next;
  });
  const products = uniqueProducts(list.pages);
  if (products.length === 0) {
    return (
      <Empty title="No product matches.">
        <p>Check the spelling, or choose fewer filters.</p>
        <a class="button" href="/">
          All products
        </a>
      </Empty>
    );
  }
  return (
    <div class="stack">
      <div class="cards">
        {products.map((product) => (
          <ProductCard product={product} key={product.id} />
        ))}
      </div>
      <MorePages list={list} label="More products" />
    </div>
  );
}

/** A product may move to a later page while one reads. */
function uniqueProducts(pages: readonly ProductPage[]): ProductCardFragment[] {
  const nodes = pages.flatMap(({ edges }) => edges.map(({ node }) => node));
  return [...new Map(nodes.map((node) => [node.id, node])).values()];
}
