import { missing } from './answers.js';

/** What a test sets of the account of the double. */
export interface AccountSettings {
  /** two letters, as ISO 3166 has it */
  country: string;
  chargesEnabled: boolean;
  /** the currencies in which the account takes payments, in lower case */
  currencies: string[];
}

export type OwnAccount = ReturnType<typeof createOwnAccount>;

/** The account itself, and the specification of its country. */
export function createOwnAccount() {
  const settings: AccountSettings = {
    country: 'US',
    chargesEnabled: true,
    currencies: ['usd', 'eur', 'gbp', 'jpy'],
  };
  return {
    settings,
    get: () => ({
      id: 'acct_of_the_double',
      object: 'account',
      charges_enabled: settings.chargesEnabled,
      country: settings.country,
    }),
    countrySpec(country: string) {
      if (country !== settings.country) throw missing('country', country);
      const supported_payment_currencies = settings.currencies;
      return { id: country, object: 'country_spec', supported_payment_currencies };
    },
  };
}
