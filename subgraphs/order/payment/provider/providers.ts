import type { PaymentProvider } from './payment-provider.js';

/**
 * The configured payment providers, by name. A payment ends at the provider that it began at
 * (`payment.provider`); new payments begin at the current one.
 */
export interface PaymentProviders {
  readonly current: PaymentProvider;
  /** the current one first */
  readonly all: readonly PaymentProvider[];
  readonly names: readonly string[];
  /** @throws an error if no provider of this name is configured */
  of(name: string): PaymentProvider;
  close(): Promise<void>;
}

/** @param former providers that get no new payments; their names differ */
export function paymentProviders(
  current: PaymentProvider,
  former: readonly PaymentProvider[] = [],
): PaymentProviders {
  const all = [current, ...former];
  const byName = new Map(all.map((provider) => [provider.name, provider]));
  return {
    current,
    all,
    names: [...byName.keys()],
    of(name) {
      const provider = byName.get(name);
      if (!provider) throw new Error(`payment provider ${name} is not configured`);
      return provider;
    },
    async close() {
      await Promise.all(all.map((provider) => provider.close()));
    },
  };
}
