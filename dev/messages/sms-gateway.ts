import type { IncomingMessage, ServerResponse } from 'node:http';
import { HttpError, readBody, sendJson } from '../../subgraphs/shared/http/http.js';

/** An answer of the SMS gateway that refuses the message. */
export interface GatewayFault {
  readonly status: number;
  readonly code?: number;
}

export interface SmsGatewayOptions {
  readonly account: string;
  readonly token: string;
  onMessage(message: { readonly to: string; readonly text: string }): void;
  /** for tests: the next request is refused with what it returns */
  takeFault?(): GatewayFault | undefined;
}

const bodyMaxBytes = 10_000;

/**
 * A server of the Messages resource of Twilio's API, for one account. It accepts all messages.
 *
 * @see https://www.twilio.com/docs/messaging/api/message-resource
 */
export function createSmsGateway({ account, token, onMessage, takeFault }: SmsGatewayOptions) {
  const authorization = `Basic ${Buffer.from(`${account}:${token}`).toString('base64')}`;
  const path = `/2010-04-01/Accounts/${account}/Messages.json`;
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const refuse = (status: number, code: number | undefined, message: string) =>
      sendJson(response, status, { code, message });
    const fault = takeFault?.();
    if (fault) return refuse(fault.status, fault.code, 'no');
    const isKnown = request.headers.authorization === authorization;
    if (!isKnown || request.method !== 'POST' || request.url !== path) {
      return refuse(401, 20003, 'Authenticate');
    }
    try {
      const form = new URLSearchParams((await readBody(request, bodyMaxBytes)).toString());
      const [to, text] = [form.get('To'), form.get('Body')];
      if (!to) return refuse(400, 21604, 'A "To" phone number is required.');
      if (!text) return refuse(400, 21602, 'A message body is required.');
      onMessage({ to, text });
      sendJson(response, 201, { sid: 'SM1', status: 'queued' });
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      refuse(error.status, undefined, error.message);
    }
  };
}
