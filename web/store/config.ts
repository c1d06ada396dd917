/** An account of the demo store, whose password is public. */
export interface DemoAccount {
  readonly name: string;
  readonly role: string;
  readonly identifier: string;
  readonly password: string;
}

/** What the router says about this installation: `/config.json`. */
export interface StoreConfig {
  readonly mode: 'development' | 'production';
  readonly links: {
    readonly graphiql?: string;
    readonly sandbox?: string;
    /** where one-time codes are shown */
    readonly messages?: string;
  };
  readonly payment:
    | { readonly provider: 'sandbox'; readonly sandboxUrl: string | null }
    | { readonly provider: 'stripe' };
  readonly accounts: readonly DemoAccount[];
}

const withoutConfig: StoreConfig = {
  mode: 'production',
  links: {},
  payment: { provider: 'stripe' },
  accounts: [],
};

export let config: StoreConfig = withoutConfig;

const attemptsMax = 5;
const retryAfterMs = 500;

/** Reads `/config.json`; without an answer the store works as in production. */
export async function loadConfig(): Promise<void> {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    try {
      const response = await fetch('/config.json');
      if (response.ok) {
        config = (await response.json()) as StoreConfig;
        return;
      }
    } catch {
      // tried again
    }
    await new Promise((resolve) => setTimeout(resolve, retryAfterMs));
  }
}
