/** The store with which `npm start` begins, small enough to remember. */
export const accounts = [
  { name: 'Ana Customer', email: 'ana@example.com', phone: '+12025550143', role: 'CUSTOMER' },
  { name: 'Ben Customer', email: 'ben@example.com', phone: null, role: 'CUSTOMER' },
  { name: 'Vera Vendor', email: 'vera@example.com', phone: null, role: 'VENDOR' },
  { name: 'Victor Vendor', email: 'victor@example.com', phone: null, role: 'VENDOR' },
  { name: 'Ada Admin', email: 'ada@example.com', phone: null, role: 'ADMIN' },
] as const;
export const demoPassword = 'holdfast-demo';

/** `owner` is the index of the account in `accounts`; the price factor is in hundredths. */
export const shops = [
  { name: 'North Outfitters', slug: 'north-outfitters', owner: 2, priceFactor: 100 },
  { name: 'Harbour Goods', slug: 'harbour-goods', owner: 2, priceFactor: 104 },
  { name: 'Victor’s Corner', slug: 'victors-corner', owner: 3, priceFactor: 97 },
] as const;

export const warehousesOfShop = ['Main', 'Overflow'] as const;

export const categories = ['Shoes', 'Jackets', 'Bags', 'Electronics', 'Kitchen'] as const;

/** Prices in whole cents; each value of the option is a variant, and the end of its sku. */
export const products = [
  product('TRAIL', 'Trail Running Shoe', 'Shoes', 8990, 'size', ['40', '41', '42', '43']),
  product('HIKER', 'Leather Hiking Boot', 'Shoes', 14900, 'size', ['41', '42', '43']),
  product('SLIDE', 'Recovery Slide', 'Shoes', 2990, 'size', ['M', 'L']),
  product('STORM', 'Storm Shell Jacket', 'Jackets', 19900, 'size', ['S', 'M', 'L', 'XL']),
  product('FLEECE', 'Recycled Fleece', 'Jackets', 5990, 'colour', ['navy', 'moss', 'sand']),
  product('DAYPACK', 'Daypack 22 L', 'Bags', 7490, 'colour', ['black', 'rust']),
  product('DUFFEL', 'Weekend Duffel', 'Bags', 9900, 'colour', ['black', 'olive']),
  product('BUDS', 'Wireless Earbuds', 'Electronics', 12900, 'colour', ['white', 'graphite']),
  product('POWER', 'Power Bank 20,000 mAh', 'Electronics', 4490, 'colour', ['black', 'white']),
  product('WATCH', 'GPS Sports Watch', 'Electronics', 24900, 'size', ['42mm', '46mm']),
  product('PRESS', 'Coffee Press', 'Kitchen', 3490, 'size', ['350ml', '1l']),
  product('KNIFE', 'Chef’s Knife', 'Kitchen', 6900, 'size', ['15cm', '20cm']),
];

export interface DemoProduct {
  readonly code: string;
  readonly name: string;
  readonly category: string;
  readonly priceCents: number;
  readonly option: string;
  readonly values: readonly string[];
}

function product(
  code: string,
  name: string,
  category: string,
  priceCents: number,
  option: string,
  values: string[],
): DemoProduct {
  return { code, name, category, priceCents, option, values };
}

/** Units of each variant in each of the two warehouses of each shop. */
export const unitsOfWarehouse = [60, 40] as const;
