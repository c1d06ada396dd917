import { Pool } from 'undici';
import { badInput, tryAgain } from '../../shared/errors.js';
import type { Logger } from '../../shared/observability/logger.js';
import { isTimeout, retryingWithin } from '../../shared/resilience/retry.js';
import type { MessageConfig, MessageSender } from './message-sender.js';

const timeoutMs = 3000;
const retriesMax = 2;
// For all attempts and the wait for a connection: a user waits for the answer.
const sendMaxMs = 4000;
const connectionsMax = 16;

// Twilio's codes for a number that cannot be reached: invalid, no mobile, no permission for its region,
// unreachable, blocked, or its owner wants no messages.
const unreachable = [21211, 21214, 21217, 21408, 21610, 21612, 21614];

/** A failure that the gateway reported; 429 and 5xx may be temporary. */
class GatewayError extends Error {
  constructor(
    readonly status: number,
    readonly code: number | undefined,
  ) {
    super(`the SMS gateway answered ${status}${code ? `, code ${code}` : ''}`);
  }
}

/**
 * Sends through the Messages resource of Twilio's API, or of a compatible gateway. A message whose answer
 * was lost is sent again: the same text twice does no harm.
 *
 * @see https://www.twilio.com/docs/messaging/api/message-resource
 */
export function createSmsGateway(config: MessageConfig, logger: Logger): MessageSender {
  const { SMS_ACCOUNT_SID: account, SMS_AUTH_TOKEN: token, SMS_FROM: from } = config;
  const base = new URL(config.SMS_GATEWAY_URL);
  const pool = new Pool(base.origin, { connections: connectionsMax });
  const path = `${base.pathname.replace(/\/$/, '')}/2010-04-01/Accounts/${account}/Messages.json`;
  const authorization = `Basic ${Buffer.from(`${account}:${token}`).toString('base64')}`;
  const retry = retryingWithin(sendMaxMs, retriesMax, isTemporary);

  async function post(to: string, text: string): Promise<void> {
    const response = await pool.request({
      method: 'POST',
      path,
      headers: { authorization, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ To: to, From: from, Body: text }).toString(),
      signal: AbortSignal.timeout(timeoutMs),
    });
    const body = await response.body.text();
    if (response.statusCode >= 300) throw new GatewayError(response.statusCode, codeOf(body));
  }

  return {
    async send({ to, text }) {
      if (!('phone' in to)) throw new Error('an SMS needs a phone number');
      try {
        await retry.execute(() => post(to.phone, text));
      } catch (error) {
        if (error instanceof GatewayError && unreachable.includes(error.code ?? 0)) {
          throw badInput({ phone: 'cannot be reached by SMS' });
        }
        logger.error({ reason: (error as Error).message }, 'SMS failed');
        throw tryAgain('SMS cannot be sent at the moment. Please try again.');
      }
    },
    close: () => pool.close(),
  };
}

function isTemporary(error: unknown): boolean {
  if (error instanceof GatewayError) return error.status === 429 || error.status >= 500;
  return !isTimeout(error);
}

function codeOf(body: string): number | undefined {
  try {
    return (JSON.parse(body) as { code?: number }).code;
  } catch {
    return undefined;
  }
}
