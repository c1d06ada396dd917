import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { address, checkoutWith, openShop, type Person, registerPerson } from './harness/people.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { actAs } from './harness/vendor.js';

describe('the shipping address of a checkout', () => {
  let system: TestSystem;
  let users: pg.Client;
  let orders: pg.Client;
  let customer: Person;
  let offerId: string;
  beforeAll(async () => {
    system = await startSystem();
    users = new pg.Client({ connectionString: system.databases.user });
    orders = new pg.Client({ connectionString: system.databases.order });
    await Promise.all([users.connect(), orders.connect()]);
    const vendor = await registerPerson(system, 'VENDOR');
    customer = await registerPerson(system);
    ({ offerId } = await openShop(system, vendor, [1000]));
  });
  afterAll(async () => {
    await system.expectInvariants();
    await Promise.all([users.end(), orders.end()]);
    await system.stop();
  });

  const send = (where: object) =>
    checkoutWith(system, customer, { items: [{ offerId, quantity: 1 }], ...where });
  async function addressOfOrder(where: object) {
    const { data } = await send(where);
    const order = await actAs(system, customer).must(
      `query ($id: UUID!) { order(id: $id) {
         shippingAddress { recipient phone street city state zip country } } }`,
      { id: data.checkout.order.id },
    );
    return order.shippingAddress;
  }
  /** What is wrong with an input, by its path; checks that no order was placed. */
  async function fieldsRefused(where: object): Promise<Record<string, string>> {
    const count = 'select count(*) from customer_order';
    const before = await orders.query(count);
    const { errors } = await send(where);
    expect(errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
    expect((await orders.query(count)).rows).toEqual(before.rows);
    return errors?.[0]?.extensions.fields as Record<string, string>;
  }
  const save = async (input: object): Promise<string> =>
    (await actAs(system, customer).mutate('addAddress', 'AddAddressInput', input, 'id')).id;

  it('has a recipient, and a state and a phone if they are given', async () => {
    const none = { state: null, phone: null };
    expect(await addressOfOrder({ shippingAddress: address })).toEqual({ ...address, ...none });
    const more = { ...address, state: 'Illinois', phone: '+1 (202) 555-0143' };
    const stored = { ...more, phone: '+12025550143' };
    expect(await addressOfOrder({ shippingAddress: more })).toEqual(stored);
    expect(await addressOfOrder({ addressId: await save(more) })).toEqual(stored);
    expect(await addressOfOrder({ addressId: await save(address) })).toEqual({
      ...address,
      ...none,
    });
  });

  it.each(['recipient', 'street', 'city', 'zip', 'country'] as const)(
    'needs a %s, typed or saved',
    async (part) => {
      const { [part]: _, ...without } = address;
      expect(await fieldsRefused({ shippingAddress: without })).toEqual({
        'input.shippingAddress': expect.stringContaining(`"${part}" of required type`),
      });
      const blank = await fieldsRefused({ shippingAddress: { ...address, [part]: '\u2800 ' } });
      expect(Object.keys(blank)).toEqual([`input.shippingAddress.${part}`]);
      expect(await fieldsRefused({ addressId: await save(without) })).toEqual({
        'input.addressId': `the address has no ${part}: complete it first`,
      });
      const addressId = await save(address);
      for (const saved of [' ', '\u200b', '\u3164']) {
        // As an older version accepted it.
        await users.query(`update address set ${part} = $2 where id = $1`, [addressId, saved]);
        expect(await fieldsRefused({ addressId })).toEqual({
          'input.addressId': `the address has no ${part}: complete it first`,
        });
      }
    },
  );

  it.each([
    ['street', '1 Main St\nFloor 2', 'a single line of 1 to 255'],
    ['city', 'Spring\u0007field', 'a single line of 1 to 100'],
    ['state', '\u200b', 'a single line of 1 to 100'],
    ['phone', '???', 'a phone number with its country code'],
  ])('has no saved %s %j, as it could not be typed', async (part, saved, rule) => {
    const addressId = await save(address);
    await users.query(`update address set ${part} = $2 where id = $1`, [addressId, saved]);
    expect(await fieldsRefused({ addressId })).toEqual({
      'input.addressId': expect.stringContaining(
        `change the address first: its ${part} must be ${rule}`,
      ),
    });
  });

  it('names everything that a saved address lacks', async () => {
    expect(await fieldsRefused({ addressId: await save({ street: '1 Main St' }) })).toEqual({
      'input.addressId':
        'the address has no recipient, no city, no zip, no country: complete it first',
    });
  });

  it.each(['202 555 0143', 'call me', ''])('has no phone %j', async (phone) => {
    expect(await fieldsRefused({ shippingAddress: { ...address, phone } })).toEqual({
      'input.shippingAddress.phone':
        'must be a phone number with its country code, such as +12025550143',
    });
  });

  it('of an order from before recipients has none', async () => {
    const { data } = await send({ shippingAddress: address, idempotencyKey: randomUUID() });
    const { id } = data.checkout.order;
    await orders.query(
      `update customer_order set shipping_address = shipping_address - 'recipient' - 'phone' - 'state'
       where id = $1`,
      [id],
    );
    const order = await actAs(system, customer).must(
      'query ($id: UUID!) { order(id: $id) { shippingAddress { recipient phone state city } } }',
      { id },
    );
    expect(order.shippingAddress).toEqual({
      recipient: null,
      phone: null,
      state: null,
      city: 'Springfield',
    });
  });
});
