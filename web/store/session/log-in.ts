import {
  LogInDocument,
  type NewSessionFragment,
  RegisterDocument,
  type RegisterInput,
  RequestCodeDocument,
  VerifyCodeDocument,
  type VerifyOtpInput,
} from '../graph/operations.js';
import { requestPublic } from './request.js';
import { beginSession } from './tokens.js';

/** A session, which has begun, or why there is none. */
type Outcome = { readonly __typename: string; readonly message?: string };

function begin(
  result: ({ readonly __typename: 'Session' } & NewSessionFragment) | Outcome,
): Outcome {
  if ('accessToken' in result) beginSession(result);
  return result;
}

export async function logIn(input: { identifier: string; password: string }): Promise<Outcome> {
  return begin((await requestPublic(LogInDocument, { input })).login);
}

export async function register(input: RegisterInput): Promise<Outcome> {
  return begin((await requestPublic(RegisterDocument, { input })).register);
}

/** Sends a code by SMS. @returns the challenge to send it back with */
export async function requestCode(input: { phone: string }, key: string) {
  const variables = { input: { ...input, idempotencyKey: key } };
  return (await requestPublic(RequestCodeDocument, variables)).requestOtp;
}

export async function verifyCode(input: VerifyOtpInput): Promise<Outcome> {
  return begin((await requestPublic(VerifyCodeDocument, { input })).verifyOtp);
}
