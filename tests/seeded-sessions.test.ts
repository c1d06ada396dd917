import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { demoPassword } from '../dev/seed/demo-store.js';
import { readSessions, seedSessions, writeSessions } from '../dev/seed/sessions.js';
import { startSystem, type TestSystem } from './harness/system.js';

describe('seeded sessions', () => {
  let system: TestSystem;
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-'));
  beforeAll(async () => {
    system = await startSystem();
    writeFileSync(join(folder, 'secrets.json'), JSON.stringify(system.secrets), { mode: 0o600 });
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await system.stop();
  });

  it('exist for every account of the store, the same ones each time', async () => {
    await expect(readSessions(folder)).rejects.toThrow(/npm run seed/);
    const first = await seedSessions(system.databases.user);
    const again = await seedSessions(system.databases.user);
    expect(again).toEqual(first);
    const file = writeSessions(folder, again);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const sessions = await readSessions(folder);
    expect(sessions).toHaveLength(5);
    for (const { accessToken, email, role, userId } of sessions) {
      const { data } = await system.graphql('{ me { id email role } }', {}, accessToken);
      expect(data.me).toEqual({ id: userId, email, role });
    }
  });

  it('can be ended, and are valid again after they are seeded again', async () => {
    writeSessions(folder, await seedSessions(system.databases.user));
    const [{ accessToken } = { accessToken: '' }] = await readSessions(folder);
    const logOut = () => system.graphql('mutation { logout }', {}, accessToken);
    const changePassword = () =>
      system.graphql(
        `mutation ($input: ChangePasswordInput!) { changePassword(input: $input) { __typename } }`,
        { input: { currentPassword: demoPassword, newPassword: 'another-secret-1' } },
        accessToken,
      );
    expect((await logOut()).errors).toBeUndefined();
    const ended = await changePassword();
    expect(ended.errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
    await seedSessions(system.databases.user);
    expect((await changePassword()).errors).toBeUndefined();
  });

  it('are neither seeded nor read in production', async () => {
    const before = process.env.NODE_ENV;
    process.env.NODE_ENV = 'production';
    try {
      await expect(seedSessions(system.databases.user)).rejects.toThrow(/production/);
      await expect(readSessions(folder)).rejects.toThrow(/production/);
    } finally {
      process.env.NODE_ENV = before;
    }
  });
});
