import { createTransport } from 'nodemailer';
import { badInput, tryAgain } from '../../shared/errors.js';
import type { Logger } from '../../shared/observability/logger.js';
import { retryingWithin } from '../../shared/resilience/retry.js';
import type { MessageConfig, MessageSender } from './message-sender.js';

const timeoutMs = 3000;
const retriesMax = 2;
// All attempts together, and the wait for a connection: somebody waits for it.
const sendMaxMs = 4000;
const connectionsMax = 4;

/** What nodemailer says of a failure; `responseCode` is the SMTP reply, if one came. */
interface MailError extends Error {
  readonly code?: string;
  readonly responseCode?: number;
}

// RFC 5321, 4.2.1: a reply from 500 on is final; a lost connection is not.
const isFinal = (error: unknown) => ((error as MailError).responseCode ?? 0) >= 500;

// What took its whole time limit is not tried again: somebody waits for it.
const isTimeout = (error: unknown) => (error as MailError).code === 'ETIMEDOUT';

/** Sends by SMTP, over connections that are kept. */
export function createMailer(config: MessageConfig, logger: Logger): MessageSender {
  const transport = createTransport(
    {
      pool: true,
      url: config.SMTP_URL,
      maxConnections: connectionsMax,
      connectionTimeout: timeoutMs,
      greetingTimeout: timeoutMs,
      socketTimeout: timeoutMs,
      disableFileAccess: true,
      disableUrlAccess: true,
    },
    { from: config.MAIL_FROM },
  );
  const retry = retryingWithin(
    sendMaxMs,
    retriesMax,
    (error) => !isFinal(error) && !isTimeout(error),
  );
  return {
    async send({ to, subject, text }) {
      if (!('email' in to)) throw new Error('a mail goes to an e-mail address');
      try {
        await retry.execute(() => transport.sendMail({ to: to.email, subject, text }));
      } catch (error) {
        const { code, responseCode } = error as MailError;
        if (code === 'EENVELOPE' && isFinal(error)) {
          throw badInput({ email: 'cannot be reached by mail' });
        }
        // Its message would name the address.
        logger.error({ reason: code, responseCode }, 'a mail was not sent');
        throw tryAgain('No mail can be sent at this moment; ask again.');
      }
    },
    async close() {
      transport.close();
    },
  };
}
