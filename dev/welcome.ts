import type { rateLimitProfiles } from '../router/limits/rate-limits.js';
import type { Ports } from './environment.js';
import { accounts, demoPassword } from './seed/demo-store.js';
import { seedId } from './seed/ids.js';

export const operations = {
  browse: `query Browse {
  products(first: 3) { edges { node { name
    variants { sku name offers { id price { amount currencyCode } shop { name } availability { available } } } } } }
}`,
  login: `mutation Login {
  login(input: { identifier: "ana@example.com", password: "${demoPassword}" }) {
    ... on Session { accessToken }
    ... on InvalidCredentials { message }
  }
}`,
  checkout: `mutation Checkout {
  checkout(input: {
    idempotencyKey: "my-first-order"
    items: [{ offerId: "${seedId('offer', 0)}", quantity: 1 }]
    shippingAddress: {
      recipient: "Ana Customer", street: "1 Main St", city: "Springfield", zip: "12345", country: "US"
    }
  }) {
    ... on CheckoutSuccess { order { id number total { amount currencyCode } expiresAt } }
    ... on Refusal { message }
  }
}`,
};

export interface RunningStore {
  /** the GraphQL endpoint */
  readonly url: string;
  readonly ports: Ports;
  readonly rateLimitProfile: keyof typeof rateLimitProfiles;
  /** of databases, secrets and log */
  readonly folder: string;
}

const rateLimits = {
  standard: 'standard (as in production; for a load test: RATE_LIMIT_PROFILE=bench npm start)',
  bench: 'bench (practically none)',
} satisfies Record<keyof typeof rateLimitProfiles, string>;

/** What `npm start` prints when everything is up. */
export function welcome({ url, ports, rateLimitProfile, folder }: RunningStore): string {
  const accountLines = accounts
    .map(({ email, role }) => `    ${email.padEnd(22)} ${role}`)
    .join('\n');
  const addressLines = [
    [new URL('/', url).href, 'the store'],
    [new URL('/graphiql', url).href, 'GraphiQL, which works without internet'],
    [url, 'the API; in a browser: Apollo Sandbox'],
    [
      `http://localhost:${ports.messages}/`,
      'one-time codes: messages to phones and e-mail addresses',
    ],
    [`http://localhost:${ports.sandbox}/admin/payments`, 'payments at the payment sandbox'],
  ]
    .map(([address = '', what]) => `    ${address.padEnd(36)} ${what}`)
    .join('\n');
  return `
  Holdfast is running:

${addressLines}

  Rate limits: ${rateLimits[rateLimitProfile]}

  Accounts, all with the password ${demoPassword}:
${accountLines}

  Three operations to paste:

${operations.browse}

${operations.login}

  (send its accessToken with the next one in the header  Authorization: Bearer <accessToken>)

${operations.checkout}

  The log of all processes: ${folder}/holdfast.log
  Stop with Ctrl-C. The data is kept; npm start -- --fresh starts from scratch.
`;
}
