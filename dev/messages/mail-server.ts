import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerDataStream } from 'smtp-server';

export interface MailServerOptions {
  readonly host: string;
  /** 0 selects a free one */
  readonly port: number;
  /** called once for each recipient; `raw` is the whole mail, with its header */
  onMail(mail: { readonly to: string; readonly raw: Buffer }): void | Promise<void>;
  /** for tests: the next recipient is refused with the SMTP reply code that it returns */
  takeFault?(): number | undefined;
}

const mailMaxBytes = 100_000;
const recipientsMax = 10;
const connectionsMax = 20;
const idleMaxMs = 30_000;
// Clients keep idle connections open.
const closeMaxMs = 1000;

/** An error whose `responseCode` is the SMTP reply. */
const reply = (responseCode: number, message: string) =>
  Object.assign(new Error(message), { responseCode });

/** Starts an SMTP server without TLS and without logins, which accepts all mail. */
export async function startMailServer(options: MailServerOptions) {
  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    size: mailMaxBytes,
    maxClients: connectionsMax,
    socketTimeout: idleMaxMs,
    closeTimeout: closeMaxMs,
    onRcptTo(_address, { envelope }, done) {
      const code = options.takeFault?.();
      if (code) return done(reply(code, 'refused'));
      if (envelope.rcptTo.length >= recipientsMax) return done(reply(452, 'too many recipients'));
      done();
    },
    onData(stream, { envelope }, done) {
      const deliver = async () => {
        const raw = await readMail(stream);
        for (const { address } of envelope.rcptTo) await options.onMail({ to: address, raw });
      };
      deliver().then(() => done(), done);
    },
  });
  const listening = server.listen(options.port, options.host);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    listening.once('listening', () => {
      server.off('error', reject);
      resolve();
    });
  });
  // A client that closes its connection early is an error of the server, which would end the process.
  server.on('error', () => {});
  return {
    port: (listening.address() as AddressInfo).port,
    close: () => new Promise<void>((resolve) => server.close(resolve)),
  };
}

/** @throws SMTP reply 552 for a mail that is too large, once all of it has arrived */
async function readMail(stream: SMTPServerDataStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    if (stream.sizeExceeded) chunks.length = 0;
    else chunks.push(chunk);
  }
  if (stream.sizeExceeded) throw reply(552, `the mail is larger than ${mailMaxBytes} bytes`);
  return Buffer.concat(chunks);
}
