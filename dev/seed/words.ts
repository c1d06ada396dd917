/** An option of a kind of product, with its possible values. */
interface Option {
  readonly name: string;
  readonly values: readonly string[];
}
export interface Kind {
  readonly code: string;
  readonly noun: string;
  /** a name in `subcategories` */
  readonly category: string;
  /** lowest and highest price, in whole dollars */
  readonly price: readonly [number, number];
  readonly use: string;
  readonly options: readonly Option[];
}

const kind = (
  code: string,
  noun: string,
  category: string,
  price: readonly [number, number],
  use: string,
  ...options: Option[]
): Kind => ({ code, noun, category, price, use, options });
const sized = (...values: string[]): Option => ({ name: 'size', values });

/** Colours and their codes in a sku. */
export const colourCodes: ReadonlyMap<string, string> = new Map([
  ...([
    ['black', 'BLK'],
    ['white', 'WHT'],
    ['navy', 'NVY'],
    ['moss', 'MOS'],
  ] as const),
  ...([
    ['sand', 'SND'],
    ['rust', 'RST'],
    ['slate', 'SLT'],
    ['plum', 'PLM'],
  ] as const),
  ...([
    ['sky', 'SKY'],
    ['ochre', 'OCH'],
    ['olive', 'OLV'],
    ['coral', 'CRL'],
  ] as const),
]);
const colour: Option = { name: 'colour', values: [...colourCodes.keys()] };
const shoes = sized('36', '37', '38', '39', '40', '41', '42', '43', '44', '45', '46');
const clothes = sized('XS', 'S', 'M', 'L', 'XL', 'XXL');

/** Top-level categories, each with its subcategories. */
export const subcategories: ReadonlyMap<string, readonly string[]> = new Map([
  ['Shoes', ['Running Shoes', 'Boots', 'Casual Shoes']],
  ['Jackets', ['Rain Jackets', 'Insulated Jackets']],
  ['Clothing', ['Tops', 'Trousers', 'Accessories']],
  ['Bags', ['Backpacks', 'Travel Bags']],
  ['Electronics', ['Audio', 'Power & Cables', 'Wearables']],
  ['Kitchen', ['Cookware', 'Coffee & Tea', 'Tableware']],
  ['Outdoor', ['Camping', 'Cycling']],
  ['Home', ['Bedding', 'Lighting', 'Storage']],
  ['Stationery', ['Notebooks', 'Pens']],
  ['Toys', ['Games', 'Building Sets']],
]);

export const kinds: readonly Kind[] = [
  kind('RUN', 'Running Shoe', 'Running Shoes', [69, 189], 'long runs on roads', shoes, colour),
  kind('TRL', 'Trail Shoe', 'Running Shoes', [79, 179], 'soft and stony trails', shoes, colour),
  kind('BOT', 'Hiking Boot', 'Boots', [119, 289], 'days with a heavy pack', shoes, colour),
  kind('CHL', 'Chelsea Boot', 'Boots', [89, 219], 'wet streets', shoes, colour),
  kind('SNK', 'Sneaker', 'Casual Shoes', [49, 139], 'every day', shoes, colour),
  kind('SAN', 'Sandal', 'Casual Shoes', [29, 99], 'warm days', shoes, colour),
  kind('RNJ', 'Rain Jacket', 'Rain Jackets', [89, 299], 'steady rain', clothes, colour),
  kind('WND', 'Windbreaker', 'Rain Jackets', [59, 149], 'open hills', clothes, colour),
  kind('DWN', 'Down Jacket', 'Insulated Jackets', [129, 399], 'dry cold', clothes, colour),
  kind('FLC', 'Fleece Jacket', 'Insulated Jackets', [49, 129], 'cool evenings', clothes, colour),
  kind('TEE', 'T-Shirt', 'Tops', [15, 49], 'every day', clothes, colour),
  kind('SWT', 'Sweater', 'Tops', [45, 149], 'cold rooms', clothes, colour),
  kind('BAS', 'Base Layer', 'Tops', [29, 89], 'what is under everything else', clothes, colour),
  kind('CHN', 'Chino', 'Trousers', [45, 119], 'the office and after', clothes, colour),
  kind('HKT', 'Hiking Trouser', 'Trousers', [59, 159], 'scrambling', clothes, colour),
  kind('CAP', 'Cap', 'Accessories', [15, 39], 'sun', colour),
  kind('SCF', 'Scarf', 'Accessories', [19, 79], 'wind', colour),
  kind('GLV', 'Glove', 'Accessories', [19, 89], 'cold hands', sized('S', 'M', 'L'), colour),
  kind('DAY', 'Daypack', 'Backpacks', [49, 149], 'a day out', sized('18 l', '24 l'), colour),
  kind(
    'TRK',
    'Trekking Pack',
    'Backpacks',
    [129, 329],
    'a week out',
    sized('45 l', '65 l'),
    colour,
  ),
  kind(
    'DUF',
    'Duffel',
    'Travel Bags',
    [59, 189],
    'the boot of a car',
    sized('40 l', '70 l'),
    colour,
  ),
  kind(
    'SUI',
    'Suitcase',
    'Travel Bags',
    [89, 349],
    'trains',
    sized('cabin', 'medium', 'large'),
    colour,
  ),
  kind('EAR', 'Earbuds', 'Audio', [39, 249], 'commuting', colour),
  kind('HPH', 'Headphones', 'Audio', [59, 399], 'quiet', colour),
  kind('SPK', 'Speaker', 'Audio', [39, 299], 'a room', colour),
  kind(
    'PWB',
    'Power Bank',
    'Power & Cables',
    [19, 89],
    'a long day',
    sized('10 Ah', '20 Ah'),
    colour,
  ),
  kind('CHG', 'Charger', 'Power & Cables', [15, 69], 'a desk', sized('30 W', '65 W', '100 W')),
  kind('CBL', 'Cable', 'Power & Cables', [7, 29], 'a desk', sized('0.5 m', '1 m', '2 m'), colour),
  kind('WTC', 'Sports Watch', 'Wearables', [99, 499], 'training', sized('42 mm', '46 mm'), colour),
  kind('BND', 'Fitness Band', 'Wearables', [29, 129], 'counting steps', colour),
  kind('PAN', 'Frying Pan', 'Cookware', [25, 149], 'every stove', sized('20 cm', '24 cm', '28 cm')),
  kind('POT', 'Stock Pot', 'Cookware', [35, 189], 'soup', sized('3 l', '5 l', '8 l')),
  kind('KNF', 'Kitchen Knife', 'Cookware', [19, 189], 'cutting', sized('9 cm', '15 cm', '20 cm')),
  kind('PRS', 'Coffee Press', 'Coffee & Tea', [19, 79], 'slow mornings', sized('350 ml', '1 l')),
  kind('KTL', 'Kettle', 'Coffee & Tea', [29, 159], 'tea', colour),
  kind('MUG', 'Mug', 'Tableware', [8, 29], 'anything hot', colour),
  kind('PLT', 'Plate Set', 'Tableware', [29, 149], 'four people', colour),
  kind(
    'TNT',
    'Tent',
    'Camping',
    [129, 699],
    'three seasons',
    sized('1 person', '2 person', '4 person'),
  ),
  kind(
    'SLP',
    'Sleeping Bag',
    'Camping',
    [69, 399],
    'cold nights',
    sized('regular', 'long'),
    colour,
  ),
  kind('LMP', 'Headlamp', 'Camping', [19, 99], 'the way back', colour),
  kind('HLM', 'Cycling Helmet', 'Cycling', [39, 199], 'the road', sized('S', 'M', 'L'), colour),
  kind(
    'BTL',
    'Water Bottle',
    'Cycling',
    [9, 39],
    'the road',
    sized('0.5 l', '0.75 l', '1 l'),
    colour,
  ),
  kind('BLK', 'Wool Blanket', 'Bedding', [39, 199], 'sofas', colour),
  kind('DSK', 'Desk Lamp', 'Lighting', [29, 179], 'reading', colour),
  kind('BSK', 'Storage Basket', 'Storage', [15, 69], 'loose things', sized('S', 'M', 'L'), colour),
  kind('NTB', 'Notebook', 'Notebooks', [6, 29], 'plans', sized('A5', 'A4'), colour),
  kind('PEN', 'Fountain Pen', 'Pens', [19, 189], 'letters', sized('F', 'M', 'B'), colour),
  kind('BRD', 'Board Game', 'Games', [19, 79], 'two to five players'),
];

export const brands = [
  ...['Northfell', 'Harrow', 'Lumen', 'Tidewater', 'Oakline', 'Vesper', 'Kestrel', 'Marlow'],
  ...['Brightwell', 'Fjellhus', 'Cobalt', 'Sundby', 'Alder', 'Pinehurst', 'Riverstone', 'Aurelio'],
  ...['Hearth', 'Quill', 'Stormont', 'Larkspur', 'Granite', 'Selkirk', 'Meridian', 'Wren'],
  ...['Tamarack', 'Ember', 'Halden', 'Norrland', 'Juniper', 'Corvid', 'Basalt', 'Linden'],
] as const;

export const lines = [
  ...['Ridge', 'Drift', 'Cirrus', 'Harbour', 'Summit', 'Meadow', 'Atlas', 'Comet', 'Delta', 'Echo'],
  ...['Fathom', 'Glade', 'Haven', 'Isle', 'Jetty', 'Kiln', 'Loft', 'Mesa', 'Nomad', 'Orbit'],
  ...[
    'Pebble',
    'Quarry',
    'Ranger',
    'Slope',
    'Tempo',
    'Umber',
    'Valley',
    'Willow',
    'Zenith',
    'Anchor',
  ],
  ...['Beacon', 'Canyon', 'Dune', 'Estuary', 'Falcon', 'Gale', 'Heron', 'Indigo', 'Juno', 'Krill'],
  ...[
    'Lagoon',
    'Mistral',
    'Nimbus',
    'Otter',
    'Prairie',
    'Quest',
    'Reef',
    'Sierra',
    'Thicket',
    'Vista',
  ],
] as const;

export const qualities = [
  ...['Light', 'Hard-wearing', 'Simple', 'Quietly made', 'Well-balanced', 'Easily repaired'],
  ...['Compact', 'Generous', 'Award-winning', 'Carefully finished'],
] as const;

export const firstNames = [
  ...['Ada', 'Amir', 'Bea', 'Carlos', 'Chen', 'Dina', 'Elif', 'Emre', 'Fatima', 'Finn', 'Grace'],
  ...['Hana', 'Igor', 'Ines', 'Jonas', 'Kofi', 'Lena', 'Luca', 'Maya', 'Milan', 'Nadia', 'Noah'],
  ...['Olga', 'Priya', 'Quinn', 'Rosa', 'Sami', 'Tara', 'Uma', 'Viktor', 'Yara', 'Zoe'],
] as const;
export const lastNames = [
  ...['Abbott', 'Berg', 'Castillo', 'Dubois', 'Eriksen', 'Fischer', 'Garcia', 'Haddad', 'Ito'],
  ...['Jansen', 'Kaya', 'Larsen', 'Moreau', 'Novak', 'Okafor', 'Patel', 'Rossi', 'Silva', 'Tanaka'],
  ...['Urban', 'Varga', 'Weber', 'Yilmaz', 'Zhang', 'Adeyemi', 'Brandt', 'Costa', 'Demir'],
] as const;
