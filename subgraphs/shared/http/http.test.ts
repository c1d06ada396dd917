import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { HttpError, readBody } from './http.js';

const maxBytes = 10;
const start = () => {
  const stream = new PassThrough({ autoDestroy: false });
  return { stream, body: readBody(stream as unknown as IncomingMessage, maxBytes) };
};

describe('a request body', () => {
  it('is read to its end, after which nothing waits for its close', async () => {
    const { stream, body } = start();
    expect(stream.listenerCount('close')).toBe(1);
    stream.write('one ');
    stream.end('two');
    expect(String(await body)).toBe('one two');
    expect(stream.listenerCount('close')).toBe(0);
  });

  it('that ends early is refused with 400, one that is too large with 413', async () => {
    const early = start();
    early.stream.write('one');
    early.stream.destroy();
    await expect(early.body).rejects.toEqual(new HttpError(400, 'The request body ended early.'));
    const large = start();
    large.stream.end('x'.repeat(maxBytes + 1));
    await expect(large.body).rejects.toMatchObject({ status: 413 });
  });
});
