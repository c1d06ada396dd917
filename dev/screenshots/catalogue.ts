import { accounts, demoPassword } from '../seed/demo-store.js';
import { seedId } from '../seed/ids.js';

/** Products in other languages and with long names, by which a layout shows its faults. */
const products = [
  {
    category: '日用品',
    name: '南部鉄器の急須（伝統工芸・手作り・茶こし付き）',
    description:
      '岩手の職人が一つずつ作る鉄の急須です。\n容量は0.6リットル、重さは1.4キログラムです。',
    variants: ['黒', '朱'],
    price: '128.00',
    former: '160.00',
    limit: 2,
    units: 7,
  },
  {
    category: 'Küche und Haushalt',
    name: 'Wärmespeicherkachelofenglasscheibenreiniger „Überglanz“ mit Mikrofasertuch',
    description: 'Reinigt verrußte Scheiben ohne Kratzer. Für Öfen, Kamine und Backöfen geeignet.',
    variants: ['500 ml', '1 l Nachfüllbeutel'],
    price: '14.90',
    former: null,
    limit: null,
    units: 40,
  },
  {
    category: 'Bags',
    name: 'Commuter Tote',
    description: 'Sold out: what a page shows when nothing is left.',
    variants: ['one size'],
    price: '59.00',
    former: null,
    limit: null,
    units: 0,
  },
] as const;

type Post = (query: string, variables: object, token?: string) => Promise<Record<string, never>>;

/** Sends operations; throws the first error. */
function poster(url: string): Post {
  return async (query, variables, token) => {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await response.json()) as {
      data: Record<string, never>;
      errors?: readonly { message: string }[];
    };
    if (errors?.[0]) throw new Error(errors[0].message);
    return data;
  };
}

const queries = {
  logIn:
    'mutation ($input: LoginInput!) { login(input: $input) { ... on Session { accessToken } } }',
  categories: '{ categories { id name } }',
  addCategory: 'mutation ($input: CreateCategoryInput!) { createCategory(input: $input) { id } }',
  addProduct: `mutation ($input: CreateProductInput!) {
    createProduct(input: $input) { slug variants { sku } } }`,
  setOffer: 'mutation ($input: SetOfferInput!) { setOffer(input: $input) { id } }',
  receive: 'mutation ($input: ReceiveStockInput!) { receiveStock(input: $input) { id } }',
} as const;

async function tokenOf(post: Post, role: string): Promise<string> {
  const account = accounts.find((each) => each.role === role);
  const input = { identifier: account?.email, password: demoPassword };
  const { login } = (await post(queries.logIn, { input })) as unknown as {
    login: { accessToken: string };
  };
  return login.accessToken;
}

/** Adds the products to the demo store, as its admin and its vendor do. @returns their slugs, in order */
export async function addProducts(url: string): Promise<string[]> {
  const post = poster(url);
  const [admin, vendor] = [await tokenOf(post, 'ADMIN'), await tokenOf(post, 'VENDOR')];
  const { categories } = (await post(queries.categories, {})) as unknown as {
    categories: readonly { id: string; name: string }[];
  };
  const slugs: string[] = [];
  for (const [n, { category, name, description, variants, ...offer }] of products.entries()) {
    let categoryId = categories.find((each) => each.name === category)?.id;
    if (!categoryId) {
      const created = await post(queries.addCategory, { input: { name: category } }, admin);
      categoryId = (created as unknown as { createCategory: { id: string } }).createCategory.id;
    }
    const made = variants.map((variant, at) => ({ sku: `SHOW-${n}-${at}`, name: variant }));
    const input = { name, description, categoryId, variants: made };
    const { createProduct } = (await post(queries.addProduct, { input }, vendor)) as unknown as {
      createProduct: { slug: string };
    };
    slugs.push(createProduct.slug);
    for (const { sku } of made) await stock(post, vendor, sku, offer);
  }
  return slugs;
}

interface Offered {
  readonly price: string;
  readonly former: string | null;
  readonly limit: number | null;
  readonly units: number;
}

async function stock(post: Post, vendor: string, sku: string, offer: Offered): Promise<void> {
  const shopId = seedId('shop', 0);
  const { price, former: compareAtPrice, limit: purchaseLimit, units: quantity } = offer;
  const input = { shopId, sku, price, compareAtPrice, purchaseLimit };
  await post(queries.setOffer, { input }, vendor);
  if (quantity === 0) return;
  const received = { warehouseId: seedId('warehouse', 0), sku, quantity };
  await post(queries.receive, { input: received }, vendor);
}
