import type { IncomingMessage, ServerResponse } from 'node:http';
import { HttpError, readBody, sendJson } from '../../../shared/http/http.js';
import type { HttpRoute } from '../../../shared/http/route.js';
import type { OrderApp, OrderContext } from '../../context.js';
import { WebhookRefused } from '../provider/payment-provider.js';
import { recordEvent } from './payment-event.js';

const bodyMaxBytes = 256 * 1024;

/** `POST /webhooks/payments/:provider`, which the router passes on with its body untouched. */
export const webhookRoute: HttpRoute<OrderContext> = {
  path: /^\/webhooks\/payments\/([^/]+)$/,
  methods: {
    POST: ({ request, response, params, context }) =>
      takeWebhook(context.app, params[0] as string, request, response),
  },
};

/**
 * Takes a provider's word that something happened to a payment.
 * 200 once the event is written down, or was before; 400 for one that the provider did not sign.
 *
 * @param name the provider, as the path names it
 */
async function takeWebhook(
  { orm, provider, logger }: OrderApp,
  name: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (name !== provider.name) throw new HttpError(404, `Payments are not taken by ${name} here.`);
  const body = await readBody(request, bodyMaxBytes);
  const event = parse();
  const isNew = await recordEvent(orm.em.fork(), name, event);
  sendJson(response, 200, { received: event.eventId, known: !isNew });

  function parse() {
    try {
      return provider.parseWebhook(request.headers, body);
    } catch (error) {
      if (!(error instanceof WebhookRefused)) throw error;
      logger.warn({ provider: name, reason: error.message }, 'a webhook was refused');
      throw new HttpError(400, 'The event is not one of the provider’s, or too old.');
    }
  }
}
