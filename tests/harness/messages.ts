import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { readBody, sendJson } from '../../subgraphs/shared/http/http.js';
import { close, listen } from '../../subgraphs/shared/http/server.js';

/** A message that the system sent. */
export interface SentMessage {
  readonly to: string;
  readonly text: string;
}

/** An answer of the SMS gateway that refuses the message. */
export interface GatewayFault {
  readonly status: number;
  readonly code?: number;
}

const account = 'AC00000000000000000000000000000000';
const token = 'the token of the SMS account';

/** An SMS gateway (Twilio's Messages resource) and an SMTP server that record what they receive. */
export async function startMessageServers() {
  const sent: SentMessage[] = [];
  const gatewayFaults: GatewayFault[] = [];
  const mailFaults: number[] = [];
  const basic = `Basic ${Buffer.from(`${account}:${token}`).toString('base64')}`;

  const gateway = createServer(async (request, response) => {
    const fault = gatewayFaults.shift();
    if (fault) return sendJson(response, fault.status, { code: fault.code, message: 'no' });
    const known = request.headers.authorization === basic;
    const path = `/2010-04-01/Accounts/${account}/Messages.json`;
    if (!known || request.method !== 'POST' || request.url !== path) {
      return sendJson(response, 401, { code: 20003, message: 'Authenticate' });
    }
    const form = new URLSearchParams((await readBody(request, 10_000)).toString());
    sent.push({ to: form.get('To') ?? '', text: form.get('Body') ?? '' });
    sendJson(response, 201, { sid: 'SM1', status: 'queued' });
  });
  const mail = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onRcptTo(_address, _session, done) {
      const code = mailFaults.shift();
      done(code ? Object.assign(new Error('refused'), { responseCode: code }) : null);
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        for (const { address } of session.envelope.rcptTo) sent.push({ to: address, text });
        done();
      });
    },
  });
  const gatewayUrl = await listen(gateway, '127.0.0.1', 0);
  const mailServer = mail.listen(0, '127.0.0.1');
  await new Promise((resolve) => mailServer.once('listening', resolve));
  const mailPort = (mailServer.address() as AddressInfo).port;

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
      SMTP_URL: `smtp://127.0.0.1:${mailPort}`,
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
      await Promise.all([close(gateway), new Promise<void>((resolve) => mail.close(resolve))]);
    },
  };
}
export type MessageServers = Awaited<ReturnType<typeof startMessageServers>>;
