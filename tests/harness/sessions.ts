import { randomUUID } from 'node:crypto';
import type { GraphQLReply, TestSystem } from './system.js';

const sessionFields = `__typename ... on Session { accessToken refreshToken user { id email } }
  ... on Refusal { message }`;

/** The outcome of a mutation that returns a session; a refusal has no tokens. */
export interface Tokens {
  readonly __typename: string;
  readonly accessToken: string;
  readonly refreshToken: string;
}

/** The claims of an access token. */
export const claimsOf = (accessToken: string) =>
  JSON.parse(Buffer.from(accessToken.split('.')[1] as string, 'base64url').toString());

/** The session of an access token. */
export const sessionIdOf = (accessToken: string): string => claimsOf(accessToken).sid;

/** The mutations that create, change or end a session. */
export function sessionsOf({ graphql }: Pick<TestSystem, 'graphql'>) {
  return {
    /** Registers an account with a new e-mail address. */
    async register(password = 'secret-1') {
      const email = `${randomUUID()}@example.com`;
      const input = { name: 'Somebody', email, password };
      const reply = await graphql(
        `mutation ($input: RegisterInput!) { register(input: $input) { ${sessionFields} } }`,
        { input },
      );
      return { email, reply, tokens: reply.data?.register as Tokens };
    },
    async login(identifier: string, password: string): Promise<Tokens> {
      const { data } = await graphql(
        `mutation ($input: LoginInput!) { login(input: $input) { ${sessionFields} } }`,
        { input: { identifier, password } },
      );
      return data.login;
    },
    async refresh(refreshToken: string): Promise<Tokens> {
      const { data } = await graphql(
        `mutation ($token: String!) { refreshSession(refreshToken: $token) { ${sessionFields} } }`,
        { token: refreshToken },
      );
      return data.refreshSession;
    },
    logout: (token: string | undefined, everywhere = false): Promise<GraphQLReply> =>
      graphql(
        'mutation ($everywhere: Boolean) { logout(everywhere: $everywhere) }',
        { everywhere },
        token,
      ),
    end: (token: string | undefined, id: string): Promise<GraphQLReply> =>
      graphql('mutation ($id: UUID!) { endSession(id: $id) }', { id }, token),
    changePassword: (
      token: string,
      currentPassword: string,
      newPassword: string,
    ): Promise<GraphQLReply> =>
      graphql(
        `mutation ($input: ChangePasswordInput!) { changePassword(input: $input) { ${sessionFields} } }`,
        { input: { currentPassword, newPassword } },
        token,
      ),
  };
}
