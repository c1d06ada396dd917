import type { IncomingMessage, ServerResponse } from 'node:http';
import { HttpError, readBody, sendJson } from '../../../shared/http/http.js';
import type { HttpRoute } from '../../../shared/http/route.js';
import type { PaymentApp, PaymentContext } from '../payment-app.js';
import { WebhookRefused } from '../provider/payment-provider.js';
import { recordEvent } from './payment-event.js';

const bodyMaxBytes = 256 * 1024;

/** `POST /webhooks/payments/:name` of a configured provider, proxied by the router with an unchanged body. */
export const webhookRoute: HttpRoute<PaymentContext> = {
  path: /^\/webhooks\/payments\/([^/]+)$/,
  methods: {
    POST: ({ request, response, params, context }) =>
      takeWebhook(context.app, params[0] as string, request, response),
  },
};

/**
 * Accepts a webhook: 200 if the event is recorded, now or before; 400 if the provider did not sign
 * it; 404 for a provider that is not configured.
 *
 * @param name the name of the provider in the path
 */
async function takeWebhook(
  app: PaymentApp,
  name: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { providers, logger } = app;
  if (!providers.names.includes(name)) {
    throw new HttpError(404, `Unknown payment provider: ${name}`);
  }
  const provider = providers.of(name);
  const body = await readBody(request, bodyMaxBytes);
  const event = parse();
  const isNew = await recordEvent(app, name, event);
  sendJson(response, 200, { received: event.eventId, known: !isNew });

  function parse() {
    try {
      return provider.parseWebhook(request.headers, body);
    } catch (error) {
      if (!(error instanceof WebhookRefused)) throw error;
      logger.warn({ provider: name, reason: error.message }, 'webhook refused');
      throw new HttpError(400, 'The signature of the event is invalid or too old.');
    }
  }
}
