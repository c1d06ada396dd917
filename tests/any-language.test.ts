import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import pg from 'pg';
import { rebuildSearch } from '../ops/rebuild/search.js';
import { fold, foldCase } from '../subgraphs/shared/text/fold.js';
import { shopWords } from '../subgraphs/shop/search.js';
import { address, logIn, type Person, registerPerson } from './harness/people.js';
import { retry } from './harness/retry.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { eventually } from './harness/wait.js';

/** Names by the root collation of CLDR. Not from `Intl`: Node.js may have another version of ICU. */
const sorted = [
  'Äpfel',
  'apple',
  'Éclair',
  'Orange',
  'Zebra',
  'zoo',
  'Яблоко',
  'תפוח',
  'แอปเปิล',
  '苹果',
];

describe('a catalogue in any language', () => {
  let system: TestSystem;
  let vendor: Person;
  let admin: Person;
  let categoryId: string;
  beforeAll(async () => {
    system = await startSystem();
    [vendor, admin] = await Promise.all([registerPerson(system, 'VENDOR'), logIn(system, 'ada')]);
    categoryId = (await createCategory('Everything')).id;
  });
  afterAll(() => system.stop());

  const ask = async (query: string, variables: object = {}, person?: Person) => {
    const { data, errors } = await retry(() => system.graphql(query, variables, person?.token));
    if (errors) throw Object.assign(new Error(errors[0]?.message), errors[0]?.extensions);
    return data;
  };
  const createCategory = async (name: string, parentId: string | null = null) =>
    (
      await ask(
        'mutation ($input: CreateCategoryInput!) { createCategory(input: $input) { id slug } }',
        { input: { name, parentId } },
        admin,
      )
    ).createCategory as { id: string; slug: string };
  const createProduct = async (name: string, fields: object = {}) =>
    (
      await ask(
        'mutation ($input: CreateProductInput!) { createProduct(input: $input) { id slug name } }',
        { input: { name, description: 'x', categoryId, ...fields } },
        vendor,
      )
    ).createProduct as { id: string; slug: string; name: string };
  const bySlug = async (slug: string) =>
    (await ask('query ($slug: String!) { product(slug: $slug) { id } }', { slug })).product?.id;
  const productsBy = async (search: string, sort = 'RELEVANCE') => {
    const { products } = await ask(
      `query ($search: String!, $sort: ProductSort!) {
        products(first: 100, filter: { search: $search }, sort: $sort) { totalCount edges { node { name } } } }`,
      { search, sort },
    );
    expect(products.totalCount).toBe(products.edges.length);
    return namesOf(products);
  };
  const shopsBy = async (search: string) =>
    namesOf(
      (
        await ask(
          'query ($search: String) { shops(first: 100, search: $search) { edges { node { name } } } }',
          {
            search,
          },
        )
      ).shops,
    );
  const namesOf = ({ edges }: { edges: { node: { name: string } }[] }) =>
    edges.map(({ node }) => node.name);
  const query = async (database: 'product' | 'shop' | 'user', text: string) => {
    const client = new pg.Client({ connectionString: system.databases[database] });
    await client.connect();
    return (await client.query(text).finally(() => client.end())).rows;
  };
  const openShopNamed = async (name: string) =>
    (
      await ask(
        'mutation ($input: CreateShopInput!) { createShop(input: $input) { id } }',
        { input: { name, slug: `shop-${randomUUID()}` } },
        vendor,
      )
    ).createShop.id as string;

  describe('categories', () => {
    it('of the same name are created under different parents, with different slugs', async () => {
      const [men, women] = [await createCategory('Men'), await createCategory('Women')];
      const slugs = [
        (await createCategory('Accessories', men.id)).slug,
        (await createCategory('Accessories', women.id)).slug,
      ];
      expect(slugs).toEqual(['accessories', 'accessories-2']);
    });

    it.each([
      ['C++', 'C#'],
      ['🎁', '❤️'],
      ['कला', 'कल'],
      ['バス', 'ハス'],
      ['ม้า', 'มา'],
      ['Émail', 'Email'],
    ])('%s and %s are both created, with different slugs', async (one, other) => {
      const [first, second] = [await createCategory(one), await createCategory(other)];
      expect(first.slug).not.toBe(second.slug);
    });

    it('with a name of neither letters nor digits have a slug all the same', async () => {
      const { slug } = await createCategory('★★★');
      expect(slug).toMatch(/^category(-\d+)?$/);
    });

    it('of the same name in another case or normal form are refused under the same parent', async () => {
      const { id } = await createCategory('Bücher');
      for (const name of ['bücher', 'Bücher'.normalize('NFD'), 'Ｂücher'])
        await expect(createCategory(name)).rejects.toMatchObject({
          code: 'CONFLICT',
          message: `A category “${name.normalize('NFC')}” already exists under this parent. Choose another name.`,
        });
      await expect(createCategory('Bücher', id)).resolves.toMatchObject({ slug: 'bücher-2' });
    });

    it('that are created at once all get slugs of their own', async () => {
      const parents = await Promise.all(
        Array.from({ length: 8 }, (_, n) => createCategory(`Parent ${n} ${randomUUID()}`)),
      );
      const made = await Promise.all(parents.map(({ id }) => createCategory('Zubehör', id)));
      expect(new Set(made.map(({ slug }) => slug)).size).toBe(8);
      for (const { slug } of made) expect(slug).toMatch(/^zubehör(-\d+)?$/);
    });

    it('are sorted as in a dictionary', async () => {
      const { id } = await createCategory('Sorted');
      for (const name of sorted.toReversed()) await createCategory(name, id);
      const { categories } = await ask('{ categories { id children { name } } }');
      const category = categories.find((each: { id: string }) => each.id === id);
      expect(category.children.map(({ name }: { name: string }) => name)).toEqual(sorted);
    });
  });

  describe('products', () => {
    it('are found by their slugs in any normal form and case', async () => {
      for (const name of ['한국 김치', 'Phở bò', `${'a'.repeat(199)}𠮷`, 'क़लम']) {
        const { id, slug } = await createProduct(name);
        expect(slug.isWellFormed() && slug === slug.normalize('NFC')).toBe(true);
        for (const form of ['NFC', 'NFD'] as const)
          expect(await bySlug(slug.normalize(form))).toBe(id);
        expect(await bySlug(slug.toUpperCase())).toBe(id);
      }
    });

    it('of the same name that are created at once all get slugs of their own', async () => {
      const made = await Promise.all(
        Array.from({ length: 12 }, () => createProduct('Einhorn, rosa')),
      );
      expect(new Set(made.map(({ slug }) => slug)).size).toBe(12);
      for (const { id, slug } of made) expect(await bySlug(slug)).toBe(id);
    });

    it('of any name are found by the slug that is made from it', async () => {
      const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 });
      const property = fc.asyncProperty(name, async (text) => {
        const made = await createProduct(text).catch((error) => error);
        if (made.code === 'BAD_USER_INPUT') return; // blank, or with a character that is refused
        expect(await bySlug(made.slug)).toBe(made.id);
        expect(made.name).toBe(text.normalize('NFC'));
      });
      await fc.assert(property, { numRuns: 60 });
    });

    const found: ReadonlyArray<readonly [name: string, ...searches: string[]]> = [
      ['Crème brûlée set', 'creme', 'brulee', 'CRÈME', 'crème brûlée', 'cre\u0300me'],
      ['女士防水登山鞋', '登山', '登山鞋', '鞋', '防水登山', '女士'],
      ['防水トレッキングシューズ', 'シューズ', 'トレッキング', '防水', 'ｼｭｰｽﾞ', '防水シューズ'],
      ['รองเท้าเดินป่ากันน้ำ', 'รองเท้า', 'เดินป่า', 'กันน้ำ'],
      ['한국전통김치냉장고', '한국', '김치', '냉장고', '한국'.normalize('NFD'), '한'],
      ['ស្បែកជើងឡើងភ្នំ', 'ស្បែកជើង', 'ឡើងភ្នំ'],
      ['Giày leo núi chống nước', 'giay', 'núi', 'chong nuoc', 'GIÀY'],
      ['حقيبة ظهر للرحلات', 'حقيبة', 'ظهر'],
      ['תיק גב לטיולים', 'תיק', 'לטיול'],
      ['हिन्दी कीबोर्ड', 'हिन्दी', 'कीबो'],
      ['IŞIK ısıtıcı', 'ışık', 'isitici', 'ISITICI'],
      ['Große Straßenkarte', 'grosse', 'STRASSENKARTE', 'straßen'],
      ['Σακίδιο πλάτης', 'σακιδιο', 'ΠΛΆΤΗΣ'],
      ['Ёлка новогодняя', 'елка', 'ЁЛКА', 'новогод'],
      ['LG전자 4K テレビ55型', 'lg', '전자', '4k', 'テレビ', '55', '型'],
      ['می\u200cخواهم کتاب', 'میخواهم', 'می\u200cخواهم'],
    ];
    it('are found by words and their beginnings, and by parts of what has no spaces', async () => {
      for (const [name] of found) await createProduct(name);
      for (const [name, ...searches] of found)
        for (const search of searches)
          expect([search, await productsBy(search)]).toEqual([
            search,
            expect.arrayContaining([name.normalize('NFC')]),
          ]);
      // Characters that are apart, and other words, are not found.
      for (const search of ['登鞋', '山登', 'ズシュー', 'ハス', '김고'])
        expect([search, await productsBy(search)]).toEqual([search, []]);
    });

    it.each(['%', '_', '★', '---', '🎁'])(
      'are not found by %j, which has no word',
      async (search) => {
        expect(await productsBy(search)).toEqual([]);
      },
    );

    it('are all listed by a search that shows nothing, in order of the sort', async () => {
      const all = await ask('{ products(first: 1) { totalCount } }');
      for (const search of ['', '  ', '\u200b', '\u200d\ufe0f']) {
        const listed = await ask(
          'query ($search: String!) { products(first: 1, filter: { search: $search }) { totalCount } }',
          { search },
        );
        expect(listed).toEqual(all);
      }
    });

    it('are sorted as in a dictionary, each once, while others are added', async () => {
      const own = await createCategory('Sorted products');
      for (const name of sorted.toReversed()) await createProduct(name, { categoryId: own.id });
      const added = ['Ähre', 'mango', '蘋果', 'Banane'];
      const pages: string[] = [];
      for (let after: string | null = null; ; ) {
        const { products } = await ask(
          `query ($after: String, $id: UUID!) { products(first: 2, after: $after, filter: { categoryId: $id }, sort: NAME) {
            edges { node { name } } pageInfo { hasNextPage endCursor } } }`,
          { after, id: own.id },
        );
        pages.push(...namesOf(products));
        if (!products.pageInfo.hasNextPage) break;
        after = products.pageInfo.endCursor;
        const name = added.pop();
        if (name) await createProduct(name, { categoryId: own.id });
      }
      expect(pages.filter((name) => sorted.includes(name))).toEqual(sorted);
      expect(new Set(pages).size).toBe(pages.length);
    });
  });

  describe('shops and offers', () => {
    it('are found with and without accents, and by parts of what has no spaces', async () => {
      await openShopNamed('Café Zürich');
      await openShopNamed('東京登山用品店');
      for (const search of ['cafe', 'zurich', 'ZÜRICH', 'cafe\u0301', 'zür'])
        expect(await shopsBy(search)).toEqual(['Café Zürich']);
      for (const search of ['登山', '用品店', '店', '東京'])
        expect([search, await shopsBy(search)]).toEqual([search, ['東京登山用品店']]);
      for (const search of ['%', '★', '登店']) expect(await shopsBy(search)).toEqual([]);
      const all = await shopsBy(null as never);
      for (const search of ['', '  ', '\u200b']) expect(await shopsBy(search)).toEqual(all);
    });

    it('follow a new name', async () => {
      const id = await openShopNamed('Brotmanufaktur');
      await ask(
        'mutation ($input: UpdateShopInput!) { updateShop(input: $input) { id } }',
        { input: { id, name: 'Crêperie' } },
        vendor,
      );
      expect([await shopsBy('creperie'), await shopsBy('brot')]).toEqual([['Crêperie'], []]);
    });

    it('are found by the name of the product and the SKU, also after it was renamed', async () => {
      const shopId = await openShopNamed('Angebote');
      const sku = `SKU_${randomUUID().slice(0, 8)}.a`;
      const variants = [{ sku, name: 'größe 38' }];
      const { id } = await createProduct('登山靴', { variants });
      await ask(
        'mutation ($input: SetOfferInput!) { setOffer(input: $input) { id } }',
        { input: { shopId, sku, price: '10.00' } },
        vendor,
      );
      const offersBy = async (search: string | null) =>
        (
          await ask(
            'query ($id: UUID!, $search: String) { shop(id: $id) { offers(search: $search) { edges { node { id } } } } }',
            { id: shopId, search },
          )
        ).shop.offers.edges.length;
      for (const search of ['登山', '靴', 'grosse', sku, '', '  ', null])
        expect([search, await offersBy(search)]).toEqual([search, 1]);
      for (const search of ['★', '山登']) expect(await offersBy(search)).toBe(0);
      await ask(
        'mutation ($id: UUID!) { updateProduct(input: { id: $id, name: "Bergstiefel" }) { id } }',
        { id },
        vendor,
      );
      await eventually(
        () => offersBy('bergstief'),
        (count) => count === 1,
      );
      expect(await offersBy('登山')).toBe(0);
    });
  });

  describe('people', () => {
    it('are found by the beginning of their name, with and without accents', async () => {
      const name = `Žofie Šťastná ${randomUUID().slice(0, 6)}`;
      await ask(
        'mutation ($name: String!) { updateProfile(input: { name: $name }) { name } }',
        { name },
        vendor,
      );
      const usersBy = async (search: string) =>
        namesOf(
          (
            await ask(
              'query ($search: String) { users(first: 100, search: $search) { edges { node { name } } } }',
              { search },
              admin,
            )
          ).users,
        );
      for (const search of ['zofie', 'ŽOFIE ŠŤ', 'Žofie'.normalize('NFD')])
        expect(await usersBy(search)).toEqual([name]);
      expect((await usersBy('  ')).length).toBeGreaterThan(1);
      expect(await usersBy('★')).toEqual([]);
    });

    it.each([
      ['حسين', 'شارع الملك ١٢', 'القاهرة', 'EG'],
      ['שרה כהן', 'רחוב הרצל 5', 'תל אביב', 'IL'],
      ['अनिता शर्मा', 'महात्मा गांधी मार्ग', 'मुंबई', 'IN'],
      ['สมชาย ใจดี', 'ถนนสุขุมวิท', 'กรุงเทพฯ', 'TH'],
      ['Nguyễn Thị Hương', 'Đường Lê Lợi', 'Huế', 'VN'],
      ['Ayşe Yılmaz', 'İstiklâl Caddesi', 'İstanbul', 'TR'],
      ['Jürgen Groß', 'Straße des 17. Juni', 'Köln', 'DE'],
      ['Ελένη', 'Οδός Ερμού', 'Αθήνα', 'GR'],
      ['김민준', '세종대로', '서울', 'KR'],
      ['王小明', '长安街', '北京', 'CN'],
      ['山田 花子', '銀座', '東京', 'JP'],
      ['🦊 Fox', '1 Forest', 'Wood', 'US'],
    ])('%s has an address, stored as it is shown', async (recipient, street, city, country) => {
      const input = { ...address, recipient, street, city, zip: '12345', country };
      const decomposed = Object.fromEntries(
        Object.entries(input).map(([key, value]) => [key, value.normalize('NFD')]),
      );
      const { addAddress } = await ask(
        'mutation ($input: AddAddressInput!) { addAddress(input: $input) { recipient street city } }',
        { input: decomposed },
        vendor,
      );
      expect(addAddress).toEqual({
        recipient: recipient.normalize(),
        street: street.normalize(),
        city: city.normalize(),
      });
    });
  });

  it('names a character that it refuses, and stores nothing', async () => {
    for (const [name, refused] of [
      ['Sho\u200bes', 'U+200B (a zero-width space)'],
      ['\u202eShoes', 'U+202E (an embedding or override of the direction)'],
      ['Shoes\ue000', 'U+E000 (a character for private use)'],
    ] as const)
      await expect(createProduct(name)).rejects.toMatchObject({
        code: 'BAD_USER_INPUT',
        fields: { 'input.name': expect.stringContaining(`must not have ${refused}`) },
      });
    expect(await productsBy('shoes')).not.toContain('Shoes');
  });

  it('logs in with a phone number in the digits of any script, and registers the name', async () => {
    const phone = `+1202555${String(Math.random()).slice(2, 6)}`;
    const arabic = phone.replace(/\d/g, (digit) => String.fromCodePoint(0x660 + Number(digit)));
    const { requestOtp } = await ask(
      'mutation ($input: RequestOtpInput!) { requestOtp(input: $input) { id } }',
      { input: { phone: arabic } },
    );
    const code = system.messages.codeFor(phone);
    const { verifyOtp } = await ask(
      `mutation ($input: VerifyOtpInput!) { verifyOtp(input: $input) { ... on Session { user { phone name } } } }`,
      { input: { challengeId: requestOtp.id, code, name: 'زينب' } },
    );
    expect(verifyOtp.user).toEqual({ phone, name: 'زينب' });
  });

  it('has no account that looks like another: identities are never folded', async () => {
    const register = (email: string) =>
      ask('mutation ($input: RegisterInput!) { register(input: $input) { __typename } }', {
        input: { name: 'Eve', email, password: 'secret-1' },
      });
    const logInAs = (identifier: string) =>
      ask('mutation ($input: LoginInput!) { login(input: $input) { __typename } }', {
        input: { identifier, password: 'holdfast-demo' },
      });
    // Dotless i, full width, the Kelvin sign, which NFC makes a K, and a Cyrillic a.
    for (const lookalike of ['adaı', 'ａda', '\u212Aate', 'аda']) {
      const email = `${lookalike}@example.com`;
      await expect(register(email)).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
      expect((await logInAs(email)).login.__typename).toBe('InvalidCredentials');
    }
    for (const sku of ['SKÜ-1', 'ＳＫＵ', 'sku\u0130'])
      await expect(createProduct('Sku', { variants: [{ sku, name: 'x' }] })).rejects.toMatchObject({
        code: 'BAD_USER_INPUT',
      });
  });

  it('has options in any language, as they are shown', async () => {
    const options = [
      { name: 'اللون', value: 'أزرق' },
      { name: 'Größe', value: 'XL'.normalize('NFD') },
      { name: '色', value: '藍' },
      { name: '색상', value: '파랑' },
      { name: 'สี', value: 'น้ำเงิน' },
      { name: 'रंग', value: 'नीला' },
      { name: '😀', value: '👩‍🚀' },
    ];
    const sku = `SKU-${randomUUID().slice(0, 8)}`;
    const decomposed = options.map(({ name, value }) => ({ name: name.normalize('NFD'), value }));
    await createProduct('Options', { variants: [{ sku, name: 'أزرق', options: decomposed }] });
    const { variant } = await ask(
      'query ($sku: String!) { variant(sku: $sku) { name options { name value } } }',
      {
        sku,
      },
    );
    expect(variant).toEqual({ name: 'أزرق', options });
  });

  it('takes a repeated request in another normal form for the same', async () => {
    const create = (name: string) =>
      ask(
        'mutation ($input: CreateCategoryInput!) { createCategory(input: $input) { id } }',
        { input: { name, idempotencyKey: 'the-same-in-nfd' } },
        admin,
      );
    const [one, other] = [await create('Größen'), await create('Größen'.normalize('NFD'))];
    expect(other).toEqual(one);
  });

  it('keeps name and key together when a name is changed twice at once', async () => {
    const shopId = await openShopNamed('ana');
    const { id: idOfCategory } = await createCategory('ana');
    const setProfile =
      'mutation ($name: String!) { updateProfile(input: { name: $name }) { name } }';
    const setShop = 'mutation ($input: UpdateShopInput!) { updateShop(input: $input) { id } }';
    const setCategory =
      'mutation ($input: UpdateCategoryInput!) { updateCategory(input: $input) { id } }';
    const cases = [
      {
        database: 'user',
        row: `user_account where id = '${vendor.id}'`,
        column: 'name_key',
        keyOf: fold,
        change: (name: string) => ask(setProfile, { name }, vendor),
      },
      {
        database: 'shop',
        row: `shop where id = '${shopId}'`,
        column: 'words',
        keyOf: shopWords,
        change: (name: string) => ask(setShop, { input: { id: shopId, name } }, vendor),
      },
      {
        database: 'product',
        row: `category where id = '${idOfCategory}'`,
        column: 'name_key',
        keyOf: foldCase,
        change: (name: string) => ask(setCategory, { input: { id: idOfCategory, name } }, admin),
      },
    ] as const;
    const pause = () => new Promise((resolve) => setTimeout(resolve, 300));
    for (const { database, row, column, keyOf, change } of cases) {
      await change('ana');
      const holder = new pg.Client({ connectionString: system.databases[database] });
      await holder.connect();
      await holder.query(`begin; select from ${row} for update`);
      // Both would read “ana” now. The key of the second is that of “ana” too.
      const first = change('bob');
      await pause();
      const second = change('ANA');
      await pause();
      await holder.query('commit');
      await Promise.all([first, second]);
      await holder.end();
      expect(await query(database, `select name, ${column}::text as key from ${row}`)).toEqual([
        { name: 'ANA', key: keyOf('ANA') },
      ]);
    }
  });

  it('stores what rebuilding makes: no writer forgets it, and what is lost comes back', async () => {
    const columns = [
      ['product', 'product', 'search', "''"],
      ['product', 'category', 'name_key', 'id::text'],
      ['shop', 'shop', 'words', "''"],
      ['shop', 'offer', 'words', "''"],
      ['user', 'user_account', 'name_key', "''"],
    ] as const;
    const contents = async () => {
      const all: Record<string, unknown[]> = {};
      for (const [database, table, column] of columns)
        all[table] = await query(database, `select id, ${column}::text from ${table} order by id`);
      return all;
    };
    const before = await contents();
    for (const rows of Object.values(before)) expect(rows.length).toBeGreaterThan(2);
    await rebuildSearch(system.databases);
    expect(await contents()).toEqual(before);
    for (const [database, table, column, empty] of columns)
      await query(database, `update ${table} set ${column} = ${empty}`);
    await rebuildSearch(system.databases);
    expect(await contents()).toEqual(before);
  });
});
