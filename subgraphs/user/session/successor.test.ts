import { createHmac } from 'node:crypto';
import { createSuccessorOf } from './successor.js';

describe('the successor of a refresh token', () => {
  const secret = 'a-secret-of-this-test';
  const token = 'x'.repeat(43);

  it('is the same in all processes with the same secret, and has the form of a token', () => {
    const successor = createSuccessorOf(secret)(token);
    expect(successor).toMatch(/^[\w-]{43}$/);
    expect(createSuccessorOf(secret)(token)).toBe(successor);
  });

  it('differs with the token and with the secret', () => {
    const successorOf = createSuccessorOf(secret);
    const successor = successorOf(token);
    const others = [
      successorOf(`${token}x`),
      successorOf(successor),
      createSuccessorOf(`${secret}x`)(token),
    ];
    expect(new Set([token, successor, ...others]).size).toBe(5);
  });

  it('is not the HMAC that the same secret makes of a one-time code', () => {
    const mac = createHmac('sha256', secret).update(token).digest('base64url');
    expect(createSuccessorOf(secret)(token)).not.toBe(mac);
  });
});
