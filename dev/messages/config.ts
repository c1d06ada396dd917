import {
  port,
  secretText,
  setting,
  telemetryVariables,
  text,
} from '../../subgraphs/shared/config.js';

/** The address cannot be set: whoever reaches the process reads the codes of every account. */
export const host = '127.0.0.1';

export const variables = {
  ...telemetryVariables,
  PORT: setting(port, '4011', 'the port of the page and of the SMS gateway'),
  SMTP_PORT: setting(port, '4012', 'the port of the SMTP server'),
  SMS_ACCOUNT_SID: { type: text, about: 'the account that the SMS gateway accepts' },
  SMS_AUTH_TOKEN: {
    type: secretText,
    about: 'the secret of that account, 16 characters or more',
  },
};
