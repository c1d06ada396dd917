import { request } from 'node:http';
import { createLogger } from '../../subgraphs/shared/observability/logger.js';
import { createMessageSender } from '../../subgraphs/user/message/create-message-sender.js';
import type { MessageSender } from '../../subgraphs/user/message/message-sender.js';
import type { ShownMessage } from './inbox.js';
import { startMessages } from './index.js';

const account = 'AC0123';
const token = 'the token of this test';
const env = { PORT: '0', SMTP_PORT: '0', SMS_ACCOUNT_SID: account, SMS_AUTH_TOKEN: token };

describe('the messages of npm start', () => {
  let messages: Awaited<ReturnType<typeof startMessages>>;
  let sender: MessageSender;
  beforeEach(async () => {
    messages = await startMessages(env);
    const settings = {
      SMS_GATEWAY_URL: messages.url,
      SMS_ACCOUNT_SID: account,
      SMS_AUTH_TOKEN: token,
      SMS_FROM: 'Holdfast',
      SMTP_URL: messages.smtpUrl,
      MAIL_FROM: 'Holdfast <no-reply@localhost>',
    };
    sender = createMessageSender(settings, createLogger('test', 'silent'));
  });
  afterEach(async () => {
    await sender.close();
    await messages.stop();
  });

  const phone = '+12025550123';
  const email = 'nina@example.com';
  const codeText = (code: string) =>
    `${code} is your Holdfast code. It is valid for five minutes. Do not share it with anyone.`;
  const sms = (text: string, to = phone) =>
    sender.send({ to: { phone: to }, subject: 'Your Holdfast code', text });
  const mail = (text: string, subject = 'Your Holdfast code') =>
    sender.send({ to: { email }, subject, text });
  const get = (path: string) => fetch(`${messages.url}${path}`);
  async function list(query = ''): Promise<readonly ShownMessage[]> {
    const response = await get(`/messages.json${query}`);
    return ((await response.json()) as { messages: ShownMessage[] }).messages;
  }
  const page = async (query = '') => (await get(`/${query}`)).text();

  it('are SMS and e-mails, newest first, each with its code', async () => {
    const before = new Date().toISOString();
    await sms(codeText('123456'));
    await mail(codeText('654321'));
    await mail('The phone of your account was replaced.', 'Your Holdfast account');
    const subject = 'Your Holdfast code';
    expect(await list()).toEqual([
      {
        channel: 'email',
        to: email,
        subject: 'Your Holdfast account',
        text: 'The phone of your account was replaced.',
        code: null,
        receivedAt: expect.any(String),
      },
      expect.objectContaining({ to: email, subject, text: codeText('654321'), code: '654321' }),
      expect.objectContaining({ channel: 'sms', to: phone, subject: '', code: '123456' }),
    ]);
    const [{ receivedAt } = { receivedAt: '' }] = await list();
    expect(receivedAt >= before && receivedAt <= new Date().toISOString()).toBe(true);
  });

  it('are decoded: quotes, accents and other scripts', async () => {
    const text = 'Zoë’s code = 100 %\n\nЗдравствуй, 世界. '.repeat(4).trim();
    await mail(text, 'Grüße, 世界');
    await sms(text);
    expect(await list()).toMatchObject([{ text }, { text, subject: 'Grüße, 世界' }]);
  });

  it('are shown on a page, the code by itself, and selected by their address', async () => {
    expect(await page()).toContain('No messages yet.');
    await sms(codeText('123456'));
    await mail(codeText('654321'));
    const all = await page();
    expect(all).toMatch(/<p class="code">654321<\/p>.*<p class="code">123456<\/p>/s);
    expect(all).toContain('<a href="/?to=%2B12025550123">+12025550123</a>');
    for (const to of ['%2B12025550123', '+12025550123']) {
      expect(await list(`?to=${to}`)).toMatchObject([{ code: '123456' }]);
      expect(await page(`?to=${to}`)).not.toContain('654321');
    }
    expect(await list('?to=NINA@example.com')).toMatchObject([{ code: '654321' }]);
    expect(await list('?to=nobody@example.com')).toEqual([]);
  });

  it('are shown on a page that reloads only if it is asked to, with the same filter', async () => {
    expect(await page()).not.toContain('http-equiv="refresh"');
    expect(await page(`?to=${email}`)).toContain('href="/?to=nina%40example.com&amp;refresh=on"');
    const reloading = await page(`?to=${email}&refresh=on`);
    expect(reloading).toContain('<meta http-equiv="refresh" content="5">');
    expect(reloading).toContain('href="/?to=nina%40example.com"');
  });

  it('are shown on a page without scripts, which escapes what they contain', async () => {
    const markup = '<script>alert("1")</script> & \'more\'';
    await sms(markup, `+1<b>"`);
    await mail(markup, markup);
    const response = await get(`/?${new URLSearchParams({ to: `"><b>` })}`);
    const pages = [await page(), await response.text()];
    for (const text of pages) expect(text).not.toMatch(/<script|<b>/);
    expect(pages[1]).toContain('Only messages to &quot;&gt;&lt;b&gt;.');
    expect(pages[0]).toContain('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;more');
    expect(response.headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'$/,
    );
    expect(response.headers.get('referrer-policy')).toBe('no-referrer');
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  it('are the last hundred, and long ones are cut', async () => {
    for (let n = 0; n < 101; n++) await sms(`message ${n}`);
    const kept = await list();
    expect(kept).toHaveLength(100);
    expect(kept.at(0)?.text).toBe('message 100');
    expect(kept.at(-1)?.text).toBe('message 1');
    await sms('x'.repeat(5000));
    await mail('y'.repeat(50_000), 'z'.repeat(5000));
    const [mailed, sent] = await list();
    expect([sent?.text.length, mailed?.text.length]).toEqual([2001, 2001]);
    expect(mailed?.subject.length).toBe(201);
  });

  it('that are too large are refused', async () => {
    await expect(sms('x'.repeat(10_000))).rejects.toThrow('SMS cannot be sent');
    await expect(mail('y'.repeat(100_000))).rejects.toThrow('E-mail cannot be sent');
    expect(await list()).toEqual([]);
    await mail('a text');
    expect(await list()).toHaveLength(1);
  });

  it('need the account of this start, a recipient and a text', async () => {
    const post = async (credentials: string, form: Record<string, string>, name = account) => {
      const response = await fetch(`${messages.url}/2010-04-01/Accounts/${name}/Messages.json`, {
        method: 'POST',
        headers: { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` },
        body: new URLSearchParams(form),
      });
      return [response.status, ((await response.json()) as { code: number }).code];
    };
    const known = `${account}:${token}`;
    const whole = { To: phone, Body: 'a text' };
    expect(await post(`${account}:guessed`, whole)).toEqual([401, 20003]);
    expect(await post(known, whole, 'AC9')).toEqual([401, 20003]);
    expect(await post(known, { Body: 'a text' })).toEqual([400, 21604]);
    expect(await post(known, { To: phone })).toEqual([400, 21602]);
    expect(await list()).toEqual([]);
  });

  it('are shown to this machine alone, by its own name', async () => {
    expect(messages.url).toMatch(/^http:\/\/127\.0\.0\.1:/);
    expect(messages.smtpUrl).toMatch(/^smtp:\/\/127\.0\.0\.1:/);
    const statusFor = (host: string) =>
      new Promise((resolve, reject) =>
        request(`${messages.url}/messages.json`, { headers: { host } }, (response) => {
          response.resume();
          resolve(response.statusCode);
        })
          .once('error', reject)
          .end(),
      );
    expect(await statusFor('localhost:4011')).toBe(200);
    expect(await statusFor('[::1]:4011')).toBe(200);
    expect(await statusFor('codes.example.com:4011')).toBe(403);
    expect(await statusFor('localhost.example.com')).toBe(403);
  });

  it('are not shown in production', async () => {
    const production = startMessages({ ...env, NODE_ENV: 'production' });
    await expect(production.then(({ stop }) => stop())).rejects.toThrow(
      'one-time codes are shown in development only',
    );
    const withoutToken = startMessages({ ...env, SMS_AUTH_TOKEN: '' });
    await expect(withoutToken).rejects.toThrow('SMS_AUTH_TOKEN is missing');
  });
});
