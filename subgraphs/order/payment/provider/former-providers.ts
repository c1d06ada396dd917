import { z } from 'zod';
import { providerName } from '../../config.js';

/** A provider that gets no new payments, and ends those that it began. */
export type FormerProvider =
  | {
      readonly name: string;
      readonly kind: 'stripe';
      readonly secretKey: string;
      readonly webhookSecret: string;
      /** replaces Stripe’s own API, for tests; `STRIPE_API_URL` by default */
      readonly apiUrl?: string | undefined;
    }
  | {
      readonly name: string;
      readonly kind: 'sandbox';
      readonly url: string;
      readonly webhookSecret: string;
    };

interface ReadProviders {
  /** those that are well formed, with their index in the list */
  readonly providers: readonly { readonly at: number; readonly provider: FormerProvider }[];
  /** one sentence for each problem; none shows a value, as the list has secrets */
  readonly problems: readonly string[];
}

const variable = 'PAYMENT_FORMER_PROVIDERS';
const shape =
  'a list of {"name", "kind": "stripe", "secretKey", "webhookSecret"} or {"name", "kind": "sandbox", "url", "webhookSecret"}';

const entry = z.discriminatedUnion('kind', [
  z.strictObject({
    name: providerName,
    kind: z.literal('stripe'),
    secretKey: z.string().min(1),
    webhookSecret: z.string().min(1),
    apiUrl: z.url().optional(),
  }),
  z.strictObject({
    name: providerName,
    kind: z.literal('sandbox'),
    url: z.url(),
    webhookSecret: z.string().min(1),
  }),
]);

/**
 * Reads `PAYMENT_FORMER_PROVIDERS`.
 *
 * @param currentName the name of the current provider, which no former one may have
 */
export function readFormerProviders(text: string, currentName: string): ReadProviders {
  const list = parse(text);
  if (!list)
    return { providers: [], problems: [`${variable} is malformed: it is ${shape}, as JSON`] };
  const names = new Set([currentName]);
  const providers: { at: number; provider: FormerProvider }[] = [];
  const problems: string[] = [];
  for (const [at, given] of list.entries()) {
    const parsed = entry.safeParse(given);
    if (!parsed.success) {
      problems.push(...parsed.error.issues.map((issue) => problemOf(at, issue)));
      continue;
    }
    const { name } = parsed.data;
    if (names.has(name)) {
      problems.push(`${variable}[${at}].name is used twice: ${name}; each provider has its own`);
    }
    names.add(name);
    providers.push({ at, provider: parsed.data });
  }
  return { providers, problems };
}

/** @returns null for what is no list; the error of the parser would show a part of it */
function parse(text: string): unknown[] | null {
  try {
    const list = JSON.parse(text);
    return Array.isArray(list) ? list : null;
  } catch {
    return null;
  }
}

function problemOf(at: number, { path, message }: z.core.$ZodIssue): string {
  const field = path.map((each) => `.${String(each)}`).join('');
  return `${variable}[${at}]${field} is malformed (${message}); the variable is ${shape}`;
}
