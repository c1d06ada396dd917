import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import type { Call } from '../../contracts/call.js';
import { DomainError, UpstreamFault } from '../errors.js';
import { createServiceClient, type ServiceClient } from './service-client.js';

const count: Call<object, number> = { field: 'count', query: '{ count }', answer: z.number() };
const options = { timeoutMs: 3000, repeatable: true };

describe('a client of another subgraph', () => {
  let server: Server;
  let client: ServiceClient;
  let requests = 0;
  let reply: object;
  let status = 200;
  let isSilent = false;
  beforeAll(async () => {
    server = createServer((request, response) => {
      requests += 1;
      request.resume();
      response.statusCode = status;
      if (!isSilent) response.end(JSON.stringify(reply));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
    client = createServiceClient(url, 'order', 'a secret of the test');
  });
  afterAll(async () => {
    await client.close();
    server.close();
  });

  const answerOf = (data: unknown, errors?: object[]) => {
    requests = 0;
    reply = { data, errors };
    return client.call(count, {}, options).catch((error: Error) => error);
  };

  it('returns what the contract says', async () => {
    expect(await answerOf({ count: 3 })).toBe(3);
  });

  it.each([[{ count: '3' }], [{ count: null }], [{ other: 3 }]])(
    'takes the answer %j for a fault of the other side, and does not repeat the request',
    async (data) => {
      const error = await answerOf(data);
      expect(error).toBeInstanceOf(UpstreamFault);
      expect(error).toMatchObject({
        message: expect.stringContaining('sent an invalid answer to count'),
      });
      expect(requests).toBe(1);
    },
  );

  it('passes on an error of the domain', async () => {
    const error = await answerOf(null, [{ message: 'no', extensions: { code: 'NOT_FOUND' } }]);
    expect(error).toBeInstanceOf(DomainError);
    expect(error).toMatchObject({ message: 'no', extensions: { code: 'NOT_FOUND' } });
  });

  it('passes on an error of the domain with an HTTP status of its own', async () => {
    status = 503;
    const error = await answerOf(null, [{ message: 'busy', extensions: { code: 'TRY_AGAIN' } }]);
    status = 200;
    expect(error).toMatchObject({ message: 'busy', extensions: { code: 'TRY_AGAIN' } });
    expect(requests).toBe(1);
  });

  it('does not repeat a request without an answer in time, whose outcome is unknown', async () => {
    isSilent = true;
    requests = 0;
    const late = client.call(count, {}, { timeoutMs: 100, repeatable: true });
    await expect(late).rejects.toMatchObject({ extensions: { code: 'TRY_AGAIN' } });
    isSilent = false;
    expect(requests).toBe(1);
    expect(await answerOf({ count: 4 })).toBe(4);
  });

  it('has one time limit for a request and its repetitions', async () => {
    requests = 0;
    const failing = createServer((request, response) => {
      requests += 1;
      request.resume();
      setTimeout(() => response.destroy(), 300);
    });
    await new Promise<void>((resolve) => failing.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(failing.address() as AddressInfo).port}/graphql`;
    const failed = createServiceClient(url, 'order', 'a secret of the test');
    const late = failed.call(count, {}, { timeoutMs: 500, repeatable: true });
    await expect(late).rejects.toMatchObject({ extensions: { code: 'TRY_AGAIN' } });
    // Two more would follow.
    expect(requests).toBeLessThan(3);
    await failed.close();
    failing.close();
  });

  it('returns each item of a list, or what is wrong with it', async () => {
    const errors = [{ message: 'late', path: ['count', 1], extensions: { code: 'TRY_AGAIN' } }];
    reply = { data: { count: [1, null, 'three'] }, errors };
    expect(await client.callEach(count, {}, options)).toEqual([
      1,
      expect.objectContaining({ message: 'late', extensions: { code: 'TRY_AGAIN' } }),
      expect.any(UpstreamFault),
    ]);
  });

  it('refuses a call at once while 64 are in flight and 192 wait for a connection', async () => {
    const held: (() => void)[] = [];
    const slow = createServer((request, response) => {
      request.resume();
      held.push(() => response.end(JSON.stringify({ data: { count: 1 } })));
    });
    await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(slow.address() as AddressInfo).port}/graphql`;
    const crowded = createServiceClient(url, 'order', 'a secret of the test');
    const patient = { timeoutMs: 60_000, repeatable: false };
    let answered = 0;
    const calls = Array.from({ length: 256 }, () =>
      crowded.call(count, {}, patient).finally(() => {
        answered += 1;
      }),
    );
    const refused = { extensions: { code: 'TRY_AGAIN' } };
    await expect(crowded.call(count, {}, patient)).rejects.toMatchObject(refused);
    expect(answered).toBe(0);
    const answering = setInterval(() => {
      for (const answer of held.splice(0)) answer();
    }, 1);
    expect(await Promise.all(calls)).toEqual(Array(256).fill(1));
    expect(await crowded.call(count, {}, patient)).toBe(1);
    clearInterval(answering);
    await crowded.close();
    slow.close();
  });
});
