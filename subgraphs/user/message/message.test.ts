import { type AddressInfo, createServer } from 'node:net';
import { type MessageServers, startMessageServers } from '../../../tests/harness/messages.js';
import { createLogger } from '../../shared/observability/logger.js';
import { createMessageSender } from './create-message-sender.js';
import type { MessageSender } from './message-sender.js';

describe('a message', () => {
  let servers: MessageServers;
  let sender: MessageSender;
  const lines: string[] = [];
  const logger = createLogger('test', 'info', {
    destination: { write: (line) => void lines.push(line) },
  });
  beforeAll(async () => {
    servers = await startMessageServers();
    sender = createMessageSender(servers.env, logger);
  });
  beforeEach(() => {
    servers.sent.length = 0;
    lines.length = 0;
  });
  afterAll(async () => {
    await sender.close();
    await servers.stop();
  });

  const phone = '+12025550123';
  const email = 'nina@example.com';
  const sms = () => sender.send({ to: { phone }, subject: '', text: 'a text & more' });
  const mail = () => sender.send({ to: { email }, subject: 'Hello', text: 'a text\n.\nand more' });
  const refusal = (code: string) => expect.objectContaining({ extensions: { code } });

  it('to a phone is sent through the SMS gateway, with its account', async () => {
    await sms();
    expect(servers.sent).toEqual([{ to: phone, text: 'a text & more' }]);
  });

  it('to an e-mail address is sent by SMTP', async () => {
    await mail();
    expect(servers.sent).toHaveLength(1);
    expect(servers.sent[0]?.to).toBe(email);
    expect(servers.sent[0]?.text).toMatch(/^Subject: Hello\r$/m);
    expect(servers.sent[0]?.text).toContain('and more');
  });

  it('is sent again when the gateway is busy or fails, and arrives once', async () => {
    servers.gatewayFaults.push({ status: 429 }, { status: 503 });
    await sms();
    servers.mailFaults.push(451);
    await mail();
    expect(servers.sent.map(({ to }) => to)).toEqual([phone, email]);
  });

  it('that is refused three times is TRY_AGAIN, and the log contains no address', async () => {
    servers.gatewayFaults.push({ status: 500 }, { status: 502 }, { status: 503 });
    await expect(sms()).rejects.toEqual(refusal('TRY_AGAIN'));
    servers.mailFaults.push(451, 451, 451);
    await expect(mail()).rejects.toEqual(refusal('TRY_AGAIN'));
    expect(servers.sent).toEqual([]);
    expect(lines).toHaveLength(2);
    expect(lines.join()).not.toContain(phone.slice(1));
    expect(lines.join()).not.toContain(email);
  });

  it('to an address that cannot be reached is BAD_USER_INPUT, and is not retried', async () => {
    const fields = (field: string) =>
      expect.objectContaining({
        extensions: { code: 'BAD_USER_INPUT', fields: { [field]: expect.any(String) } },
      });
    servers.gatewayFaults.push({ status: 400, code: 21211 });
    await expect(sms()).rejects.toEqual(fields('phone'));
    servers.mailFaults.push(550);
    await expect(mail()).rejects.toEqual(fields('email'));
    expect([servers.gatewayFaults, servers.mailFaults]).toEqual([[], []]);
  });

  it('refused because of our configuration is not retried, and is logged', async () => {
    const misconfigured = createMessageSender({ ...servers.env, SMS_AUTH_TOKEN: 'wrong' }, logger);
    const sending = misconfigured.send({ to: { phone }, subject: '', text: 'a text' });
    await expect(sending).rejects.toEqual(refusal('TRY_AGAIN'));
    await misconfigured.close();
    expect(lines.join()).toContain('401, code 20003');
  });

  it('to a gateway that is down is TRY_AGAIN', async () => {
    const away = { SMS_GATEWAY_URL: 'http://127.0.0.1:9', SMTP_URL: 'smtp://127.0.0.1:9' };
    const lost = createMessageSender({ ...servers.env, ...away }, logger);
    for (const to of [{ phone }, { email }]) {
      const sending = lost.send({ to, subject: '', text: 'a text' });
      await expect(sending).rejects.toEqual(refusal('TRY_AGAIN'));
    }
    await lost.close();
  });

  it('to a gateway that hangs is TRY_AGAIN', async () => {
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    const urls = {
      SMS_GATEWAY_URL: `http://127.0.0.1:${port}`,
      SMTP_URL: `smtp://127.0.0.1:${port}`,
    };
    const stuck = createMessageSender({ ...servers.env, ...urls }, logger);
    await Promise.all(
      [{ phone }, { email }].map((to) =>
        expect(stuck.send({ to, subject: '', text: 'a text' })).rejects.toEqual(
          refusal('TRY_AGAIN'),
        ),
      ),
    );
    await stuck.close();
    silent.close();
  });

  it('is printed in the log without a gateway, for development', async () => {
    const env = { ...servers.env, SMS_GATEWAY_URL: 'log', SMTP_URL: 'log' };
    const printer = createLogger('messages', 'info', {
      personal: true,
      destination: { write: (line) => void lines.push(line) },
    });
    await createMessageSender(env, logger, printer).send({
      to: { phone },
      subject: '',
      text: 'a text',
    });
    expect(lines[0]).toContain(`message to ${phone}: a text`);
    expect(servers.sent).toEqual([]);
  });
});
