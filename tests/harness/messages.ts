import { createServer } from 'node:http';
import { startMailServer } from '../../dev/messages/mail-server.js';
import { createSmsGateway, type GatewayFault } from '../../dev/messages/sms-gateway.js';
import { close, listen } from '../../subgraphs/shared/http/server.js';

/** A message that the system sent. */
export interface SentMessage {
  readonly to: string;
  readonly text: string;
}

const account = 'AC00000000000000000000000000000000';
const token = 'the token of the SMS account';

/** An SMS gateway and an SMTP server that record what they receive. */
export async function startMessageServers() {
  const sent: SentMessage[] = [];
  const gatewayFaults: GatewayFault[] = [];
  const mailFaults: number[] = [];
  const gateway = createServer(
    createSmsGateway({
      account,
      token,
      onMessage: (message) => sent.push(message),
      takeFault: () => gatewayFaults.shift(),
    }),
  );
  const mail = await startMailServer({
    host: '127.0.0.1',
    port: 0,
    onMail: ({ to, raw }) => void sent.push({ to, text: raw.toString() }),
    takeFault: () => mailFaults.shift(),
  });
  const gatewayUrl = await listen(gateway, '127.0.0.1', 0);

  return {
    sent,
    gatewayFaults,
    /** SMTP reply codes for the next recipients */
    mailFaults,
    /** environment variables of a user subgraph that sends through these servers */
    env: {
      SMS_GATEWAY_URL: gatewayUrl,
      SMS_ACCOUNT_SID: account,
      SMS_AUTH_TOKEN: token,
      SMS_FROM: '+12025550100',
      SMTP_URL: `smtp://127.0.0.1:${mail.port}`,
      MAIL_FROM: 'Holdfast <no-reply@example.com>',
    },
    /** the code in the last message to a phone or an e-mail address */
    codeFor(to: string): string {
      const isTo = (message: SentMessage) => message.to.toLowerCase() === to.toLowerCase();
      const text = sent.findLast(isTo)?.text;
      const code = text && /\b\d{6}\b(?= is your Holdfast code)/.exec(text)?.[0];
      if (!code) throw new Error(`no code was sent to ${to}`);
      return code;
    },
    async stop() {
      await Promise.all([close(gateway), mail.close()]);
    },
  };
}
export type MessageServers = Awaited<ReturnType<typeof startMessageServers>>;
