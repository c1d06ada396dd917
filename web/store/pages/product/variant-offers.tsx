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

/** The offers of a variant, with live stock. */
export function VariantOffers({ sku }: { readonly sku: string }) {
  const { data, error, reload } = useQuery(VariantOffersDocument, { sku });
  const offers = data.value?.variant?.offers;
  const version = useComputed(() => {
    const levels = [...stockOf(sku).value.shops.values()];
    return levels.reduce((sum, level) => sum + level.version, 0);
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
    if (!offers) return undefined;
    const seen = offers.reduce((sum, { availability }) => sum + (availability?.version ?? 0), 0);
    if (version <= seen) return undefined;
    const timer = setTimeout(reload, refreshAfterMs + Math.random() * refreshSpreadMs);
    return () => clearTimeout(timer);
  }, [version, offers]);

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
