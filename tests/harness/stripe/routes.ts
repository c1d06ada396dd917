import { Refusal } from './answers.js';
import type { Disputes } from './disputes.js';
import type { Intents } from './intents.js';
import { pageOf } from './lists.js';
import type { OwnAccount } from './own-account.js';
import type { Refunds } from './refunds.js';

interface Parts {
  readonly ownAccount: OwnAccount;
  readonly intents: Intents;
  readonly refunds: Refunds;
  readonly disputes: Disputes;
  readonly lists: { readonly pageMax: number };
}

interface Request {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly form: URLSearchParams;
}

/** @returns a function that executes a request, and throws a `Refusal` for one that Stripe refuses */
export function createRoutes({ ownAccount, intents, refunds, disputes, lists }: Parts) {
  const ofIntents = {
    confirm: intents.confirm,
    capture: intents.capture,
    cancel: intents.cancel,
  };

  return function execute({ method, path, query, form }: Request): object {
    const [, version, noun, id, verb] = path.split('/');
    const route = `${method} ${noun}${id ? '/:id' : ''}${verb ? `/${verb}` : ''}`;
    if (version !== 'v1') throw unknownUrl(method, path);
    switch (route) {
      case 'GET account':
        return ownAccount.get();
      case 'GET country_specs/:id':
        return ownAccount.countrySpec(id as string);
      case 'POST payment_intents':
        return intents.create(form);
      case 'GET payment_intents':
        return pageOf(intents.store.listed(), query, [], lists.pageMax);
      case 'GET payment_intents/:id':
        return intents.get(id as string);
      case 'POST payment_intents/:id/confirm':
      case 'POST payment_intents/:id/capture':
      case 'POST payment_intents/:id/cancel':
        return ofIntents[verb as keyof typeof ofIntents](intents.get(id as string), form);
      case 'POST refunds':
        return refunds.create(form);
      case 'GET refunds':
        return pageOf(refunds.store.listed(), query, ['payment_intent'], lists.pageMax);
      case 'GET refunds/:id':
        return refunds.get(id as string);
      case 'GET disputes':
        return pageOf(disputes.store.listed(), query, ['payment_intent'], lists.pageMax);
      case 'GET disputes/:id':
        return disputes.get(id as string);
      default:
        throw unknownUrl(method, path);
    }
  };
}

const unknownUrl = (method: string, path: string) =>
  new Refusal(404, {
    type: 'invalid_request_error',
    message: `Unrecognized request URL (${method}: ${path}).`,
  });
