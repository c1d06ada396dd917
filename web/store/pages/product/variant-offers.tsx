import { batch, useComputed } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { VariantOffersDocument } from '../../graph/operations.js';
import { useQuery } from '../../session/use-query.js';
import { noteShopLevel, stockOf, watchSkus } from '../../stock/live-stock.js';
import { ErrorNotice } from '../../ui/error-notice.jsx';
import { Loading } from '../../ui/loading.jsx';
import { Empty } from '../../ui/page.jsx';
import { OfferRow } from './offer-row.jsx';

// Reasons and carts are not part of the stream: they are read again after changes, by each viewer at another moment.
const refreshAfterMs = 1500;
const refreshSpreadMs = 1500;
// Other carts change without a change of the stock.
const refreshEveryMs = 30_000;

/** The offers of a variant, with live stock. */
export function VariantOffers({ sku }: { readonly sku: string }) {
  const { data, error, reload } = useQuery(VariantOffersDocument, { sku });
  const offers = data.value?.variant?.offers;
  // Shops without an offer are in the stream too: their changes are nothing to read here.
  const changed = useComputed(() => {
    const { shops } = stockOf(sku).value;
    return (data.value?.variant?.offers ?? [])
      .map(({ shop, availability }) => {
        const version = shops.get(shop.id)?.version ?? 0;
        return availability && version > availability.version ? `${shop.id} ${version}` : '';
      })
      .join(' ')
      .trim();
  }).value;

  useEffect(() => watchSkus([sku]), [sku]);
  useEffect(() => {
    batch(() => {
      for (const { shop, availability } of offers ?? []) {
        if (availability) noteShopLevel(sku, shop.id, availability);
      }
    });
  }, [offers]);
  useEffect(() => {
    if (!changed) return undefined;
    const timer = setTimeout(reload, refreshAfterMs + Math.random() * refreshSpreadMs);
    return () => clearTimeout(timer);
  }, [changed]);
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') void reload();
    }, refreshEveryMs);
    return () => clearInterval(timer);
  }, [sku]);

  if (!data.value) {
    if (error.value) return <ErrorNotice error={error.value} retry={reload} />;
    return <Loading label="Loading the offers …" />;
  }
  if (!offers || offers.length === 0) return <Empty title="No shop offers this at the moment." />;
  return (
    <ul class="offers">
      {offers.map((offer) => (
        <OfferRow sku={sku} offer={offer} key={offer.id} />
      ))}
    </ul>
  );
}
