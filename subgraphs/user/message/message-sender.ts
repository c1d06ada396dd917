import type { Identifier } from '../../shared/auth/identifier.js';

/** A short text for one person. An SMS has no subject and leaves it out. */
export interface Message {
  readonly to: Identifier;
  readonly subject: string;
  readonly text: string;
}

export interface MessageSender {
  /**
   * @throws `BAD_USER_INPUT` where `to` cannot be reached, `TRY_AGAIN` where the gateway fails
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
