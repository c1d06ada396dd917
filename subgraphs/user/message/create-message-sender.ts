import { ConfigError } from '../../shared/config.js';
import { createLogger, type Logger } from '../../shared/observability/logger.js';
import { toLog } from '../config.js';
import { createMailer } from './mailer.js';
import type { MessageConfig, MessageSender } from './message-sender.js';
import { createSmsGateway } from './sms-gateway.js';

/** Sends to phones by SMS, to e-mail addresses by SMTP; prints what has no gateway. */
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
      logger.info(`message to ${address}: ${text}`);
    },
    async close() {},
  };
}
