import type { Identifier } from '../../shared/auth/identifier.js';
import { ConfigError } from '../../shared/config.js';
import { createLogger, type Logger } from '../../shared/observability/logger.js';
import { createMailer } from './mailer.js';
import { createSmsGateway } from './sms-gateway.js';

/** A short text for one person; who has no use for a subject leaves it out. */
export interface Message {
  readonly to: Identifier;
  readonly subject: string;
  readonly text: string;
}

export interface MessageSender {
  /**
   * @throws `BAD_USER_INPUT` where nobody can be reached at `to`, `TRY_AGAIN` where nobody can be
   *   reached at all now
   */
  send(message: Message): Promise<void>;
  close(): Promise<void>;
}

export interface MessageConfig {
  readonly SMS_GATEWAY_URL: string;
  readonly SMS_ACCOUNT_SID: string;
  readonly SMS_AUTH_TOKEN: string;
  readonly SMS_FROM: string;
  readonly SMTP_URL: string;
  readonly MAIL_FROM: string;
}

/** The address that stands for none: messages are printed in the log, for development. */
export const toLog = 'log';

/** Phones by SMS, the rest by mail. */
export function createMessageSender(
  config: MessageConfig,
  logger: Logger,
  printer = createLogger('messages', 'info', { personal: true }),
): MessageSender {
  if (config.SMS_GATEWAY_URL !== toLog && !(config.SMS_ACCOUNT_SID && config.SMS_AUTH_TOKEN)) {
    throw new ConfigError(['SMS_GATEWAY_URL needs SMS_ACCOUNT_SID and SMS_AUTH_TOKEN']);
  }
  const printed = createLogSender(printer);
  const sms = config.SMS_GATEWAY_URL === toLog ? printed : createSmsGateway(config, logger);
  const mail = config.SMTP_URL === toLog ? printed : createMailer(config, logger);
  return {
    send: (message) => ('phone' in message.to ? sms : mail).send(message),
    async close() {
      await Promise.all([sms.close(), mail.close()]);
    },
  };
}

function createLogSender(logger: Logger): MessageSender {
  return {
    async send({ to, text }) {
      const [address] = Object.values(to);
      logger.info(`a message to ${address}: ${text}`);
    },
    async close() {},
  };
}
