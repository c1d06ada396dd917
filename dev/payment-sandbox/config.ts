import { z } from 'zod';
import {
  address,
  port,
  secretText,
  setting,
  telemetryVariables,
  text,
} from '../../subgraphs/shared/config.js';

export const variables = {
  ...telemetryVariables,
  HOST: setting(text, '127.0.0.1', 'the address on which the sandbox listens'),
  PORT: setting(port, '4010', 'the port of the sandbox'),
  PAYMENT_SANDBOX_FILE: setting(
    z.string(),
    '',
    'the file in which the sandbox stores its payments; without one they are lost at its exit',
  ),
  PAYMENT_SANDBOX_WEBHOOK_URL: setting(
    address,
    'http://127.0.0.1:4000/webhooks/payments/sandbox',
    'the address to which the sandbox sends its webhooks',
  ),
  PAYMENT_SANDBOX_WEBHOOK_SECRET: setting(
    secretText,
    'development-secret-of-sandbox',
    'the secret with which the sandbox signs its webhooks, 16 characters or more',
  ),
};
