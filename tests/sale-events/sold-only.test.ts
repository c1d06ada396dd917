import { checkout, openShop, type Person, registerPerson } from '../harness/people.js';
import { retry } from '../harness/retry.js';
import { startSystem, type TestSystem } from '../harness/system.js';
import { openSaleEvent } from './open-sale-event.js';
import { openSaleClock, type SaleClock } from './sale-clock.js';

describe('an offer that is sold only in its sale', () => {
  let system: TestSystem;
  let clock: SaleClock;
  let vendor: Person;
  beforeAll(async () => {
    system = await startSystem();
    clock = await openSaleClock(system.databases);
    vendor = await registerPerson(system, 'VENDOR');
  });
  afterAll(async () => {
    await clock.close();
    await system.stop();
  });

  async function change(name: string, id: string): Promise<void> {
    const text = `mutation ($id: UUID!) { ${name}(id: $id) { state } }`;
    const { errors } = await retry(() => system.graphql(text, { id }, vendor.token));
    if (errors) throw new Error(JSON.stringify(errors));
  }
  /** Makes what has happened a minute older. */
  async function minutePasses(saleId: string): Promise<void> {
    const earlier = (column: string) => `${column} = ${column} - interval '1 minute'`;
    await clock.rows(
      'shop',
      `update sale_event set ${earlier('published_at')}, ${earlier('starts_at')} where id = $1`,
      [saleId],
    );
    await clock.rows(
      'shop',
      `update sale_pause set ${earlier('paused_at')}, ${earlier('resumed_at')} where sale_id = $1`,
      [saleId],
    );
    await clock.rows('order', `update order_item set ${earlier('decided_at')}`);
  }

  it('has no regular price while the sale is live, and has it in a pause and after a cancellation', async () => {
    const { shopId, offerId } = await openShop(system, vendor, [20]);
    const lines = [{ offerId, price: '5.00', allocation: 5, whenSoldOut: 'SOLD_OUT' as const }];
    const terms = { startsIn: 3600, lasts: 600, lines };
    const { id } = await openSaleEvent(system, vendor, shopId, terms);
    const buy = async () => {
      const customer = await registerPerson(system);
      return (await checkout(system, customer, [{ offerId, quantity: 1 }])).data.checkout
        .__typename;
    };
    expect(await buy()).toBe('CheckoutSuccess');
    await clock.start(id);
    await minutePasses(id);
    expect(await buy()).toBe('SaleOnly');

    await change('pauseSale', id);
    expect(await buy()).toBe('CheckoutSuccess');
    await change('resumeSale', id);
    expect(await buy()).toBe('SaleOnly');

    await minutePasses(id);
    await change('cancelSale', id);
    expect(await buy()).toBe('CheckoutSuccess');
    await system.expectInvariants();
  });
});
