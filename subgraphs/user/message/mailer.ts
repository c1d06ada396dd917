import { createTransport } from 'nodemailer';
import { badInput, tryAgain } from '../../shared/errors.js';
import type { Logger } from '../../shared/observability/logger.js';
import { retryingWithin } from '../../shared/resilience/retry.js';
import type { MessageConfig, MessageSender } from './message-sender.js';

const timeoutMs = 3000;
const retriesMax = 2;
// For all attempts and the wait for a connection: a user waits for the answer.
const sendMaxMs = 4000;
const connectionsMax = 4;

/** An error of nodemailer; `responseCode` is the SMTP reply, if there was one. */
interface MailError extends Error {
  readonly code?: string;
  readonly responseCode?: number;
}

// RFC 5321, 4.2.1: replies of 500 and above are permanent; a lost connection is not.
const isPermanent = (error: unknown) => ((error as MailError).responseCode ?? 0) >= 500;

// An attempt that timed out is not retried: a user waits for the answer.
const isTimeout = (error: unknown) => (error as MailError).code === 'ETIMEDOUT';

/** Sends by SMTP, over pooled connections. */
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
    (error) => !isPermanent(error) && !isTimeout(error),
  );
  return {
    async send({ to, subject, text }) {
      if (!('email' in to)) throw new Error('an e-mail needs an e-mail address');
      try {
        await retry.execute(() => transport.sendMail({ to: to.email, subject, text }));
      } catch (error) {
        const { code, responseCode } = error as MailError;
        if (code === 'EENVELOPE' && isPermanent(error)) {
          throw badInput({ email: 'cannot be reached by e-mail' });
        }
        // The error's message would contain the address.
        logger.error({ reason: code, responseCode }, 'e-mail failed');
        throw tryAgain('E-mail cannot be sent at the moment. Please try again.');
      }
    },
    async close() {
      transport.close();
    },
  };
}
