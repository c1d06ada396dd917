import type { DatabaseUrls } from '../ops/databases/urls.js';
import { makeSecrets, type Secrets } from '../ops/secrets/secrets.js';
import { developmentEnvironments, environments, portsFrom } from './environment.js';
import { accounts, demoPassword } from './seed/demo-store.js';

const ports = portsFrom(4000);
const databases = {} as DatabaseUrls;
const redisUrl = 'redis://127.0.0.1:63799';

describe('the environments of npm start', () => {
  let secrets: Secrets;
  beforeAll(async () => {
    secrets = await makeSecrets();
  });
  const of = (given: NodeJS.ProcessEnv = {}) =>
    developmentEnvironments({ databases, redisUrl, ports, secrets }, given);
  const messageSettings = (user: object) =>
    Object.keys(user).filter((name) => /^(SMS|SMTP)_/.test(name));

  it('let the user subgraph send its messages to the process that shows them', () => {
    const { user, messages } = of();
    expect(user).toMatchObject({
      SMS_GATEWAY_URL: `http://127.0.0.1:${ports.messages}`,
      SMS_ACCOUNT_SID: messages.SMS_ACCOUNT_SID,
      SMS_AUTH_TOKEN: messages.SMS_AUTH_TOKEN,
      SMTP_URL: `smtp://127.0.0.1:${ports.smtp}`,
    });
    expect(messages).toMatchObject({ PORT: '4011', SMTP_PORT: '4012' });
    expect(messages.SMS_ACCOUNT_SID).toMatch(/^AC[0-9a-f]{32}$/);
    expect(of().messages.SMS_AUTH_TOKEN).not.toBe(messages.SMS_AUTH_TOKEN);
  });

  it('prefer the gateway and the mail server of the developer', () => {
    const gateway = 'SMS_GATEWAY_URL';
    const ofGateway = [gateway, 'SMS_ACCOUNT_SID', 'SMS_AUTH_TOKEN'];
    expect(messageSettings(of({ [gateway]: 'https://api.twilio.com' }).user)).toEqual(['SMTP_URL']);
    expect(messageSettings(of({ [gateway]: 'log', SMTP_URL: 'log' }).user)).toEqual([]);
    expect(messageSettings(of({ SMTP_URL_FILE: '/run/mail' }).user)).toEqual(ofGateway);
    // An empty value counts as not set; an account without a gateway belongs to none.
    const partly = { [gateway]: '', SMS_ACCOUNT_SID: 'AC1', SMTP_URL: '' };
    expect(messageSettings(of(partly).user)).toEqual([...ofGateway, 'SMTP_URL']);
  });

  it('describe the demo accounts and the messages to the store, unless the developer does', () => {
    const { STORE_DEVELOPMENT = '' } = of().router as { STORE_DEVELOPMENT?: string };
    const described = JSON.parse(STORE_DEVELOPMENT);
    expect(described.messagesUrl).toBe('http://localhost:4011');
    expect(described.accounts).toHaveLength(accounts.length);
    expect(described.accounts[0]).toEqual({
      name: 'Ana Customer',
      role: 'CUSTOMER',
      identifier: 'ana@example.com',
      password: demoPassword,
    });
    expect(of({ STORE_DEVELOPMENT: '{}' }).router).not.toHaveProperty('STORE_DEVELOPMENT');
  });

  it('leave the address of the payment sandbox to the developer', () => {
    const name = 'STORE_PAYMENT_SANDBOX_URL';
    expect(of().router).toMatchObject({ [name]: 'http://localhost:4010' });
    for (const given of [
      { [name]: 'https://dev.example:4010' },
      { [`${name}_FILE`]: '/run/url' },
    ]) {
      expect(of(given).router).not.toHaveProperty(name);
    }
  });

  it('differ in nothing else from those of tests and benchmarks', () => {
    const { messages, user, router, ...others } = of();
    const {
      user: userOfTest,
      router: routerOfTest,
      ...ofTest
    } = environments({
      databases,
      redisUrl,
      ports,
      secrets,
    });
    expect(others).toEqual(ofTest);
    expect(user).toMatchObject(userOfTest);
    expect(router).toMatchObject(routerOfTest);
    expect(messageSettings(userOfTest)).toEqual([]);
    expect(routerOfTest).not.toHaveProperty('STORE_DEVELOPMENT');
    expect(messages).toBeDefined();
  });
});
