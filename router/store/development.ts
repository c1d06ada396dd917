import { z } from 'zod';

/** An address that a page may link to: no other scheme, such as `javascript:`. */
export const webAddress = z.url({ protocol: /^https?$/, error: 'not an http or https address' });

const text = z.string().min(1).max(200);
const accountsMax = 50;

const shownInDevelopment = z.strictObject({
  /** the page with the mails and text messages that the system sent */
  messagesUrl: webAddress.optional(),
  /** accounts to log in with; their passwords are public */
  accounts: z
    .array(z.strictObject({ name: text, role: text, identifier: text, password: text }))
    .max(accountsMax)
    .default([]),
});
/** What the store shows in development beyond the API. */
export type StoreDevelopment = z.infer<typeof shownInDevelopment>;

/** The JSON of `STORE_DEVELOPMENT`; null for an empty text. */
export const storeDevelopment = z.string().transform((json, context): StoreDevelopment | null => {
  if (json === '') return null;
  const refuse = (message: string) => {
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  };
  let given: unknown;
  try {
    given = JSON.parse(json);
  } catch {
    return refuse('not JSON');
  }
  const parsed = shownInDevelopment.safeParse(given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  return refuse([...(issue?.path ?? []), issue?.message].join(': '));
});
