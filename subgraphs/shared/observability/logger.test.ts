import { createTestDatabases } from '../../../tests/harness/databases.js';
import { databaseSchema } from '../../user/mikro-orm.config.js';
import { User } from '../../user/user.js';
import { connect } from '../database/connect.js';
import { sql } from '../database/sql.js';
import { createLogger } from './logger.js';
import { requestTrace } from './request-context.js';

describe('the log', () => {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const logger = createLogger('test', 'info', { destination });
  beforeEach(() => {
    lines.length = 0;
  });

  it('contains the id of the request, and no secrets', () => {
    requestTrace.run({ requestId: 'request-2' }, () =>
      logger.info({
        password: 'p-secret',
        input: { email: 'e-secret', phone: 'f-secret', newPassword: 'n-secret' },
        request: { headers: { authorization: 'a-secret' } },
      }),
    );
    expect(JSON.parse(lines[0] as string)).toMatchObject({ name: 'test', requestId: 'request-2' });
    expect(lines[0]).not.toContain('secret');
  });

  it('redacts secrets on three levels, in lists and errors too, and leaves the objects as they are', () => {
    const input = { token: 't-secret', list: [{ email: 'e-secret' }], kept: 'a name' };
    const error = Object.assign(new Error('failed'), { input: { password: 'p-secret' } });
    logger.info({ ...input, a: { b: { phone: 'f-secret' } } });
    logger.error({ err: error, error, job: { err: error } }, 'failed');
    expect(lines.join('')).not.toContain('secret');
    expect(JSON.parse(lines[0] as string)).toMatchObject({
      token: '[redacted]',
      list: [{ email: '[redacted]' }],
      kept: 'a name',
    });
    expect(input).toMatchObject({ token: 't-secret', list: [{ email: 'e-secret' }] });
    expect(error.input.password).toBe('p-secret');
  });

  it('redacts what looks like an e-mail address, phone number or token, anywhere in a line', () => {
    const token = `eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIxIn0.${'s'.repeat(86)}`;
    const refreshToken = 'r'.repeat(43);
    const texts = ['Nina.O+1@mail.example.com', '+12025550143', token, refreshToken];
    for (const text of texts) {
      logger.info(`of ${text}, "${text}"`);
      logger.error({ err: new Error(`failed for (${text})`) }, 'failed');
    }
    expect(lines).toHaveLength(8);
    for (const text of texts) expect(lines.join('')).not.toContain(text);
    for (const line of lines) expect(() => JSON.parse(line)).not.toThrow();
    expect(JSON.parse(lines[0] as string).msg).toBe('of [redacted], "[redacted]"');
  });

  it('contains type and stack of an error, without the values that PostgreSQL quotes', async () => {
    const databases = await createTestDatabases(['user']);
    const orm = await connect(
      { name: 'test', url: databases.urls.user, poolMax: 1 },
      databaseSchema,
    );
    const add = () => {
      const tx = orm.em.fork();
      const id = '0195c9a0-0000-7000-8000-000000000000';
      const none = { phone: null, passwordHash: null };
      return tx
        .persist(tx.create(User, { id, name: 'a', email: 'n@seen', role: 'CUSTOMER', ...none }))
        .flush();
    };
    const log = (err: unknown) => logger.error({ err }, 'failed');
    await add();
    await add().catch(log);
    await sql(orm.em.fork(), 'select $1::uuid', ['seen']).catch(log);
    await sql(orm.em.fork(), 'select nonsense').catch(log);
    await orm.close();
    await databases.drop();
    const [taken, malformed, wrong] = lines.map((line) => JSON.parse(line).err);
    expect(taken).toMatchObject({ sqlState: '23505', table: 'user_account' });
    expect(malformed).toMatchObject({ sqlState: '22P02', message: '[redacted]' });
    expect(wrong.message).toBe('column "nonsense" does not exist');
    expect(wrong.stack).toContain('logger.test');
    expect(lines.join('')).not.toContain('seen');
    expect(lines.join('')).not.toContain('0195c9a0');
  });
});
