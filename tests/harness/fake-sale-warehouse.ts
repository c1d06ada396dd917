import type { Call } from '../../subgraphs/contracts/call.js';
import type { SaleKey } from '../../subgraphs/contracts/sale.js';
import {
  type AllocationLine,
  type AllocationOutcome,
  allocateSale,
  type RefusedAllocation,
  type SaleAllocation,
  type SaleStock,
  type SaleUnits,
  saleUnitsOf,
} from '../../subgraphs/contracts/warehouse.js';
import { tryAgain } from '../../subgraphs/shared/errors.js';
import type { ServiceClient } from '../../subgraphs/shared/http/service-client.js';

interface Item {
  allocated: number;
  held: number;
  sold: number;
}

/** How a call ends: `loses`: it is applied, and its answer does not arrive. */
type Behaviour = 'answers' | 'fails' | 'loses';

/** What the warehouse subgraph knows of sales, in memory, for tests of the shop subgraph alone. */
export function createFakeSaleWarehouse() {
  /** units that no sale has, by shop and SKU; 100 of those that are not named */
  const free = new Map<string, number>();
  /** by sale and shop */
  const sales = new Map<
    string,
    { revision: number; content: string; endsAt: string; items: Map<string, Item> }
  >();
  const calls: SaleAllocation[] = [];
  const reads: SaleKey[][] = [];
  let behaviour: Behaviour = 'answers';
  let before: (allocation: SaleAllocation) => Promise<unknown> = async () => {};
  const freeOf = (shopId: string, sku: string) => free.get(`${shopId} ${sku}`) ?? 100;

  const applied = { refused: [], lastRevision: null };

  function allocate(allocation: SaleAllocation): AllocationOutcome {
    const { saleId, shopId, revision, endsAt, lines } = allocation;
    const sale = sales.get(`${saleId} ${shopId}`) ?? {
      revision: 0,
      content: '',
      endsAt,
      items: new Map(),
    };
    const content = JSON.stringify([endsAt, lines]);
    if (revision === sale.revision && content === sale.content) return applied;
    if (revision <= sale.revision) return { refused: [], lastRevision: sale.revision };
    const refused = lines.flatMap((line) => refusalOf(allocation, sale.items.get(line.sku), line));
    if (refused.length > 0) return { refused, lastRevision: null };
    const units = new Map(lines.map((line) => [line.sku, line.units]));
    for (const sku of new Set([...sale.items.keys(), ...units.keys()])) {
      const item: Item = sale.items.get(sku) ?? { allocated: 0, held: 0, sold: 0 };
      const wanted = units.get(sku) ?? item.held + item.sold;
      free.set(`${shopId} ${sku}`, freeOf(shopId, sku) + item.allocated - wanted);
      sale.items.set(sku, { ...item, allocated: wanted });
    }
    sales.set(`${saleId} ${shopId}`, { ...sale, revision, content, endsAt });
    return applied;
  }

  function refusalOf(
    { saleId, shopId }: SaleAllocation,
    item: Item | undefined,
    line: AllocationLine,
  ): RefusedAllocation[] {
    const { allocated = 0, held = 0, sold = 0 } = item ?? {};
    const least = held + sold;
    const most = allocated + Math.max(0, freeOf(shopId, line.sku));
    const other = [...sales].find(
      ([key, { items }]) =>
        key.endsWith(shopId) &&
        !key.startsWith(saleId) &&
        (items.get(line.sku)?.allocated ?? 0) > 0,
    );
    const otherSaleId = other?.[0].split(' ')[0] ?? null;
    if (line.units >= least && line.units <= most && !otherSaleId) return [];
    return [{ ...line, least, most, otherSaleId }];
  }

  const stockOf = (saleIds: readonly string[]): SaleStock[][] =>
    saleIds.map((saleId) =>
      [...sales]
        .filter(([key]) => key.startsWith(saleId))
        .flatMap(([key, { items }]) =>
          [...items].map(([sku, item]) => ({
            shopId: key.split(' ')[1] as string,
            sku,
            ...item,
            remaining: item.allocated - item.held - item.sold,
          })),
        ),
    );

  const unitsOf = (keys: readonly SaleKey[]): (SaleUnits | null)[] =>
    keys.map(({ saleId, shopId, sku }) => {
      const lines = stockOf([saleId])[0];
      const found = lines?.find((line) => line.shopId === shopId && line.sku === sku);
      return found ? { ...found, isOpen: true } : null;
    });

  /** Answers a call by the name of its field. */
  async function answer(field: string, variables: object): Promise<unknown> {
    if (field === saleUnitsOf.field) {
      const { of } = variables as { of: SaleKey[] };
      reads.push(of);
      if (behaviour === 'fails') throw tryAgain('not reachable');
      return unitsOf(of);
    }
    const { allocation } = variables as { allocation: SaleAllocation };
    calls.push(allocation);
    await before(allocation);
    if (behaviour === 'fails') throw tryAgain('not reachable');
    const outcome = allocate(allocation);
    if (behaviour === 'loses') throw tryAgain('the answer was lost');
    return outcome;
  }

  return {
    /** allocations that were requested, in order */
    calls,
    /** the keys of each read of units, in order */
    reads,
    answer,
    handles: (field: string) => field === allocateSale.field || field === saleUnitsOf.field,
    behave(next: Behaviour) {
      behaviour = next;
    },
    /** Answers again, and forgets what it was asked; its units stay as they are. */
    reset() {
      behaviour = 'answers';
      before = async () => {};
      calls.length = 0;
    },
    /** Runs before each allocation is decided. */
    beforeAllocation(step: typeof before) {
      before = step;
    },
    stock: (shopId: string, sku: string, units: number) => free.set(`${shopId} ${sku}`, units),
    freeOf,
    item: (saleId: string, shopId: string, sku: string) =>
      sales.get(`${saleId} ${shopId}`)?.items.get(sku),
    endOf: (saleId: string, shopId: string) => sales.get(`${saleId} ${shopId}`)?.endsAt,
    client: {
      call: (call: Call<object, unknown>, variables: object) => answer(call.field, variables),
    } as unknown as ServiceClient,
  };
}
export type FakeSaleWarehouse = ReturnType<typeof createFakeSaleWarehouse>;
