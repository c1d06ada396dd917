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

/** What `npm start` prints when everything is up. */
export function welcome(url: string, folder: string): string {
  const accountLines = accounts
    .map(({ email, role }) => `    ${email.padEnd(22)} ${role}`)
    .join('\n');
  return `
  Holdfast is running: ${url}  (in a browser: Apollo Sandbox)
                       ${url.replace(/graphql$/, 'graphiql')}  (GraphiQL, without internet)

  Accounts, all with the password ${demoPassword}:
${accountLines}

  Three operations to paste:

${operations.browse}

${operations.login}

  (send its accessToken with the next one in the header  Authorization: Bearer <accessToken>)

${operations.checkout}

  One-time codes for phone and e-mail are printed in the log (requestOtp, requestEmailProof).
  Rate limits are on; for a load test: RATE_LIMIT_PROFILE=bench npm start

  The log of all processes: ${folder}/holdfast.log
  Stop with Ctrl-C. The data is kept; npm start -- --fresh starts from scratch.
`;
}
