import pg from 'pg';
import {
  availableOf,
  checkout,
  openShop,
  type Person,
  pay,
  registerPerson,
} from './harness/people.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { eventually } from './harness/wait.js';

const customersCount = 300;
const registeredAtOnce = 20;
const unitsOfWarehouses = [60, 40];
const units = 100;
// Longer than the sale takes on any machine: units that expire during it would be sold again, and
// the placed orders would exceed the units. Afterwards unpaid reservations are made due.
const reservationMinutes = '30';
const isElsewhere = Boolean(process.env.HOLDFAST_URL);

describe('a flash sale to 300 customers of 100 units in two warehouses', () => {
  let system: TestSystem;
  let customers: Person[];
  beforeAll(async () => {
    system = await startSystem({ RESERVATION_MINUTES: reservationMinutes });
    customers = [];
    while (customers.length < customersCount) {
      const some = Array.from({ length: registeredAtOnce }, () => registerPerson(system));
      customers.push(...(await Promise.all(some)));
    }
  }, 240_000);
  afterAll(() => system.stop());

  /**
   * Makes unpaid reservations due. A system elsewhere has a short `RESERVATION_MINUTES` instead.
   */
  async function endReservations() {
    if (isElsewhere) return;
    const warehouse = new pg.Client({ connectionString: system.databases.warehouse });
    await warehouse.connect();
    await warehouse.query(`update reservation set expires_at = now() where state = 'HELD'`);
    await warehouse.end();
  }

  it('sells exactly the available units, and makes unpaid ones available again', async () => {
    const vendor = await registerPerson(system, 'VENDOR');
    const { offerId } = await openShop(system, vendor, unitsOfWarehouses);
    const quantityOf = (n: number) => 1 + (n % 2);

    const replies = await Promise.all(
      customers.map((customer, n) =>
        checkout(system, customer, [{ offerId, quantity: quantityOf(n) }]),
      ),
    );
    const results = replies.map(({ data }) => data.checkout);
    const placed = results
      .map((result, n) => ({ result, n }))
      .filter(({ result }) => result.__typename === 'CheckoutSuccess');
    const short = results.filter((result) => result.__typename === 'InsufficientStock');
    expect(placed.length + short.length).toBe(customersCount);
    expect(placed.reduce((sum, { n }) => sum + quantityOf(n), 0)).toBe(units);
    expect(await availableOf(system, offerId)).toBe(0);
    for (const [n, { lines }] of results.entries()) {
      if (!lines) continue;
      expect(lines[0].requested).toBe(quantityOf(n));
      expect(lines).toHaveLength(1);
      expect(lines[0].available).toBeLessThan(lines[0].requested);
      expect(lines[0].available).toBeGreaterThanOrEqual(0);
    }

    const buyers = placed.filter((_, at) => at % 2 === 0);
    const payments = await Promise.all(
      buyers.map(({ result, n }) => pay(system, customers[n] as Person, result.order.id)),
    );
    const paid = payments.map(({ data }) => data.payOrder.__typename);
    expect(new Set(paid)).toEqual(new Set(['PaymentSuccess']));
    const soldUnits = buyers.reduce((sum, { n }) => sum + quantityOf(n), 0);

    await endReservations();
    const left = await eventually(
      () => availableOf(system, offerId),
      (available) => available === units - soldUnits,
      120_000,
    );
    expect(left).toBe(units - soldUnits);
    await system.expectInvariants();
  }, 300_000);
});
