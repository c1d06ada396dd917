import { signal } from '@preact/signals';

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
  /** null while unknown */
  readonly payment:
    | { readonly provider: 'sandbox'; readonly sandboxUrl: string | null }
    | { readonly provider: 'stripe' }
    | null;
  readonly accounts: readonly DemoAccount[];
}

/** The settings; those of production until they are loaded. */
export const config = signal<StoreConfig>({
  mode: 'production',
  links: {},
  payment: null,
  accounts: [],
});

const timeoutMs = 5000;
const retryAfterMs = 2000;

/** Reads `/config.json`, until it is there. The store is shown meanwhile. */
export async function loadConfig(): Promise<void> {
  for (;;) {
    try {
      const response = await fetch('/config.json', { signal: AbortSignal.timeout(timeoutMs) });
      if (response.ok) {
        config.value = (await response.json()) as StoreConfig;
        return;
      }
    } catch {
      // tried again
    }
    await new Promise((resolve) => setTimeout(resolve, retryAfterMs));
  }
}
