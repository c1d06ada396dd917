const link = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@requires",
  "@provides", "@external", "@shareable", "@override", "@interfaceObject", "@inaccessible"])`;

/** supergraph → subgraph → SDL */
export const foreignSupergraphs: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'chains of @requires, @provides': {
    products: `${link}
      type Query { products: [Product!]! product(id: ID!): Product featured(limit: Int = 2): [Product] }
      type Mutation { rename(id: ID!, name: String): Product touch: Int }
      enum Status { NEW USED GONE }
      type Product @key(fields: "id") {
        id: ID! name: String! @shareable weight: Int status: Status maker: Maker }
      type Maker @key(fields: "id") { id: ID! title: String }`,
    shipping: `${link}
      type Product @key(fields: "id") {
        id: ID! weight: Int @external distance: Int
        cost(express: Boolean = false): Int @requires(fields: "weight")
        total: Int @requires(fields: "weight") }`,
    billing: `${link}
      type Mutation { charge(id: ID!): Product }
      type Product @key(fields: "id") {
        id: ID! distance: Int @external cost(express: Boolean = false): Int @external
        invoice: Invoice @requires(fields: "cost(express: true) distance")
        tax: Float @requires(fields: "cost(express: true)") }
      type Invoice { number: String lines: [String!] }`,
    reviews: `${link}
      type Query { latest: [Review!] }
      type Review { id: ID! stars: Int! text: String product: Product @provides(fields: "name") }
      type Product @key(fields: "id") { id: ID! name: String! @external reviews: [Review!]! best: Review }`,
  },
  'interface objects and unions': {
    media: `${link}
      type Query { media: [Media!]! first: Media search(text: String): [Result] }
      interface Media @key(fields: "id") { id: ID! title: String length: Int }
      type Book implements Media @key(fields: "id") { id: ID! title: String length: Int pages: Int! author: Author }
      type Film implements Media @key(fields: "id") { id: ID! title: String length: Int studio: String }
      type Song implements Media @key(fields: "id") { id: ID! title: String length: Int artist: Author }
      type Author @key(fields: "id") { id: ID! name: String favourite: Media }
      union Result = Book | Film | Author`,
    ratings: `${link}
      type Query { top(first: Int): [Media] }
      type Media @key(fields: "id") @interfaceObject {
        id: ID! title: String @external rating: Float votes(since: Int): [Vote!]
        label: String @requires(fields: "title") }
      type Vote { id: ID! by: String on: Media }`,
    people: `${link}
      type Author @key(fields: "id") { id: ID! born: Int friends: [Author!] }
      type Film @key(fields: "id") { id: ID! cast: [Author] }`,
  },
  'hidden types, values and fields': {
    store: `${link}
      type Query { items: [Item] any: [Any!] thing: Any state: State states: [State!] node: Node nodes: [Node] }
      interface Node { id: ID! label: String }
      type Item implements Node @key(fields: "id") {
        id: ID! label: String state: State! next: State secret: String @inaccessible other: Any }
      type Hidden implements Node @key(fields: "id") @inaccessible { id: ID! label: String }
      type Shown implements Node { id: ID! label: String kind: State }
      union Any = Item | Hidden | Shown
      enum State { OPEN CLOSED INTERNAL @inaccessible }`,
    extra: `${link}
      enum State { OPEN CLOSED INTERNAL }
      type Item @key(fields: "id") { id: ID! secret: String @external
        derived: String @requires(fields: "secret") past: [State] @shareable }`,
  },
  'several keys, compound and nested': {
    accounts: `${link}
      type Query { users: [User!] user(id: ID!): User orgs: [Org] }
      type User @key(fields: "id") @key(fields: "email") { id: ID! email: String! name: String org: Org }
      type Org @key(fields: "id") { id: ID! title: String }`,
    mail: `${link}
      type Query { inbox: [Message!]! }
      type User @key(fields: "email") { email: String! unread: Int! last: Message }
      type Message @key(fields: "number region") { number: Int! region: String! subject: String from: User }`,
    archive: `${link}
      type Message @key(fields: "number region") { number: Int! region: String! archived: Boolean copies: [Copy!] }
      type Copy @key(fields: "org { id } code") { org: Org! code: ID! at: String }
      type Org @key(fields: "id") { id: ID! copies: [Copy] }`,
    disks: `${link}
      type Copy @key(fields: "org { id } code") { org: Org! code: ID! bytes: Int! disk: Disk }
      type Org @key(fields: "id", resolvable: false) { id: ID! }
      type Disk { name: String! free(unit: String = "kB"): Int }`,
  },
  '@override and @shareable': {
    old: `${link}
      type Query { things: [Thing!] thing(n: Int! = 1): Thing version: Int @shareable }
      type Thing @key(fields: "id") { id: ID! size: Int colour: String place: Place @shareable old: String }
      type Place @shareable { street: String city: String! }`,
    new: `${link}
      type Query { version: Int @shareable newest: Thing }
      type Thing @key(fields: "id") {
        id: ID! size: Int @override(from: "old") place: Place @shareable shape(sides: Int): String }
      type Place @shareable { street: String city: String! }`,
    third: `${link}
      type Thing @key(fields: "id") { id: ID! colour: String @override(from: "old") tags: [[String]!] }`,
  },
  '@requires with arguments': {
    prices: `${link}
      type Query { goods: [Good!]! good(id: ID!): Good }
      type Good @key(fields: "id") { id: ID! price(currency: String = "USD", net: Boolean): Int rate(of: Int): Float box: Box }
      type Box { volume(unit: String): Int side: Int }`,
    offers: `${link}
      type Good @key(fields: "id") {
        id: ID! price(currency: String = "USD", net: Boolean): Int @external rate(of: Int): Float @external
        box: Box @external
        inDollars: String @requires(fields: "price(currency: \\"USD\\")")
        inEuros: String @requires(fields: "price(currency: \\"EUR\\", net: true)")
        rated(at: Int): Float @requires(fields: "rate(of: 2)") stored: Int @requires(fields: "box { volume(unit: \\"l\\") }") }
      type Box { volume(unit: String): Int @external }`,
    taxes: `${link}
      type Good @key(fields: "id") {
        id: ID! rate(of: Int): Float @external box: Box @external
        taxed: Float @requires(fields: "rate(of: 3)") wrapped: Int @requires(fields: "box { volume(unit: \\"m3\\") }") }
      type Box { volume(unit: String): Int @external }`,
  },
  'values split over subgraphs, lists of lists': {
    maps: `${link}
      scalar Data
      type Query { regions: [Region] grid: [[Cell!]]! matrix(n: Int): [[Int!]!] }
      type Region @key(fields: "code") { code: ID! bounds: Bounds @shareable cells: [[Cell]!] data: Data }
      type Bounds { west: Float! east: Float @shareable }
      type Cell @key(fields: "id") { id: ID! height: Int }`,
    weather: `${link}
      type Region @key(fields: "code") { code: ID! bounds: Bounds @shareable }
      type Bounds { north: Float east: Float @shareable }
      type Cell @key(fields: "id") { id: ID! rain(days: [Int!] = [1, 2]): [Float] wind: Wind! }
      type Wind { speed: Int gusts: [Int!] }`,
  },
  'interfaces and unions of which each subgraph knows a part': {
    pets: `${link}
      type Query { animals: [Animal!] pet: Pet zoo: [Pet] }
      interface Animal { id: ID! name: String friend: Animal }
      type Cat implements Animal @key(fields: "id") { id: ID! name: String friend: Animal lives: Int size: Int }
      type Dog implements Animal @key(fields: "id") { id: ID! name: String friend: Animal trick: String size: String }
      union Pet = Cat | Dog`,
    farm: `${link}
      type Query { farm: [Pet!]! herd: [Animal] }
      interface Animal { id: ID! name: String }
      type Cow implements Animal @key(fields: "id") {
        id: ID! name: String friend: Animal milk: Float! size: Float }
      type Cat implements Animal @key(fields: "id") { id: ID! name: String @external mice: [Cow] }
      union Pet = Cow | Cat`,
    vet: `${link}
      interface Patient { chart: String }
      type Dog implements Patient @key(fields: "id") { id: ID! chart: String visits: [Visit!] }
      type Cow implements Patient @key(fields: "id") { id: ID! chart: String visits: [Visit] }
      type Visit { at: String patient: Patient }`,
  },
  'inputs, mutations and cycles': {
    users: `${link}
      input Filter { name: String limit: Int = 3 kinds: [Kind!] not: Filter }
      enum Kind { ADMIN GUEST BOT }
      type Query { users(filter: Filter, order: [Kind] = [ADMIN]): [User!]! me: User }
      type Mutation { rename(id: ID!, filter: Filter!): User remove(ids: [ID!]! = ["1"]): [User] }
      type User @key(fields: "id") { id: ID! name(short: Boolean = false): String kind: Kind! friends(filter: Filter): [User!] }`,
    posts: `${link}
      type Query { feed(first: Int! = 2): [Post!] }
      type Mutation { publish(text: String!): Post like(id: ID! = "1"): Int }
      type Post @key(fields: "id") { id: ID! text: String author: User! replies: [Post] parent: Post }
      type User @key(fields: "id") { id: ID! posts(last: Int): [Post!]! pinned: Post }`,
    likes: `${link}
      type Post @key(fields: "id") { id: ID! likes: Int! fans(first: Int): [User!] }
      type User @key(fields: "id") { id: ID! liked: [Post!] }`,
  },
  'keys that only a third subgraph knows, nested @requires': {
    a: `${link}
      type Query { parts: [Part!] part: Part }
      type Part @key(fields: "id") { id: ID! name: String maker: Firm! spec: Spec }
      type Firm @key(fields: "id") { id: ID! }
      type Spec { width: Int depth: Int deep: Deep } type Deep { value: String }`,
    b: `${link}
      type Part @key(fields: "id") @key(fields: "sku") { id: ID! sku: String! }
      type Firm @key(fields: "id") { id: ID! vat: String rank(year: Int): Int }`,
    c: `${link}
      type Query { stocked: [Part] }
      type Part @key(fields: "sku") { sku: String! maker: Firm! @external spec: Spec @external
        stock: Int from: String @requires(fields: "maker { id vat }") fits: Boolean @requires(fields: "spec { width deep { value } }") }
      type Firm @key(fields: "id") { id: ID! vat: String @external }
      type Spec { width: Int @external deep: Deep @external } type Deep { value: String @external }`,
  },
};
