import type { OfferForSale, SaleTerms } from '../../contracts/shop.js';
import { newId } from '../../shared/ids.js';
import { lineTotal, sumOf } from '../../shared/money.js';
import type { ShippingAddress } from '../order/shipping-address.js';
import type { SaleBuyer } from '../sale-limit/sale-buyer.js';

export interface OrderLine {
  /** as shop decided it */
  readonly offer: OfferForSale & {
    /** the monotonic clock of this process before it was read; none: it does not become too old */
    readonly readAtMs?: number;
  };
  readonly quantity: number;
  /** the sale of the offer, if it is bought in it; none: at its regular price */
  readonly saleId?: string | null;
}

export interface NewOrder {
  readonly id: string;
  readonly customerId: string;
  readonly shippingAddress: ShippingAddress;
  readonly lines: readonly OrderLine[];
  /** as whom its sales count the customer; none without a line of a sale */
  readonly buyer?: SaleBuyer | null;
  /** how long its stock is held, if a sale makes that shorter than the setting */
  readonly reserveForMs?: number | null;
}

/** The sale in which a line is bought; null for a regular one. */
export const saleOf = ({ offer, saleId }: OrderLine): SaleTerms | null =>
  (saleId && offer.sale) || null;

/** The price of one unit: that of the sale for its lines, and the regular one for all others. */
export const unitPriceOf = (line: OrderLine): string =>
  saleOf(line)?.priceAmount ?? line.offer.priceAmount;

export const totalOf = (lines: readonly OrderLine[]): string =>
  sumOf(lines.map((line) => lineTotal(unitPriceOf(line), line.quantity)));

export const unitsIn = (lines: readonly OrderLine[]): number =>
  lines.reduce((sum, { quantity }) => sum + quantity, 0);

/** The columns of the rows that a placed order consists of. */
export const orderColumns = {
  new_order: {
    id: 'uuid',
    customer_id: 'uuid',
    total_amount: 'numeric',
    currency_code: 'text',
    shipping_address: 'jsonb',
    reserve_for_ms: 'int',
    sale_address: 'text',
    event_id: 'uuid',
  },
  new_shop_order: { customer_id: 'uuid', id: 'uuid', order_id: 'uuid', shop_id: 'uuid' },
  new_item: {
    customer_id: 'uuid',
    id: 'uuid',
    order_id: 'uuid',
    shop_order_id: 'uuid',
    offer_id: 'uuid',
    sku: 'text',
    name: 'text',
    unit_price_amount: 'numeric',
    quantity: 'int',
    sale_id: 'uuid',
    decided_at: 'timestamptz',
  },
} as const;

/** The rows that orders consist of, with `orderColumns`. */
export function toOrderRows(orders: readonly NewOrder[]) {
  const shopOrders = orders.flatMap(shopOrdersOf);
  return {
    new_order: orders.map(({ id, customerId, shippingAddress, lines, buyer, reserveForMs }) => ({
      id,
      customer_id: customerId,
      total_amount: totalOf(lines),
      currency_code: lines[0]?.offer.currencyCode,
      shipping_address: shippingAddress,
      reserve_for_ms: reserveForMs ?? null,
      sale_address: buyer?.address ?? null,
      event_id: newId(),
    })),
    new_shop_order: shopOrders.map(({ customerId, id, orderId, shopId }) => ({
      customer_id: customerId,
      id,
      order_id: orderId,
      shop_id: shopId,
    })),
    new_item: shopOrders.flatMap((shopOrder) =>
      shopOrder.lines.map((line) => ({
        customer_id: shopOrder.customerId,
        id: newId(),
        order_id: shopOrder.orderId,
        shop_order_id: shopOrder.id,
        offer_id: line.offer.id,
        sku: line.offer.sku,
        name: line.offer.name,
        unit_price_amount: unitPriceOf(line),
        quantity: line.quantity,
        sale_id: saleOf(line)?.id ?? null,
        decided_at: line.offer.decidedAt,
      })),
    ),
  };
}

const shopOrdersOf = ({ customerId, id: orderId, lines }: NewOrder) =>
  [...Map.groupBy(lines, ({ offer }) => offer.shopId)].map(([shopId, ofShop]) => {
    return { customerId, id: newId(), orderId, shopId, lines: ofShop };
  });
