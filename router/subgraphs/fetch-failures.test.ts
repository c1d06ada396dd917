import { createServer, type RequestListener } from 'node:http';
import { close, listen } from '../../subgraphs/shared/http/server.js';
import {
  data,
  hangUp,
  large,
  openSource,
  refusal,
  send,
  sendAll,
} from '../../tests/harness/subgraph-source.js';

const answers =
  (status: number, body: object | string): RequestListener =>
  (_request, response) =>
    response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body));
const errorWith = (code: string, path?: (string | number)[]) => ({
  message: 'Please retry.',
  ...(path && { path }),
  extensions: { code, requestId: 'r' },
});

describe('a mutation', () => {
  const mutation = 'mutation M { a }';

  it.each([
    ['answers 500', answers(500, { errors: [errorWith('INTERNAL_SERVER_ERROR')] })],
    ['answers 503 without a code', answers(503, 'upstream connect error')],
    ['answers TRY_AGAIN and data', answers(503, { data: {}, errors: [errorWith('TRY_AGAIN')] })],
    ['answers with something else than JSON', answers(404, '<html>')],
    ['answers with something else than GraphQL', answers(404, { reason: 'no route' })],
    ['answers with null', answers(200, 'null')],
    ['answers with more than eight megabytes', large],
    ['closes the connection', hangUp],
  ])('has an unknown outcome if the subgraph %s', async (_, answer) => {
    const { requests, outcome } = await send(mutation, () => answer);
    expect(outcome).toEqual(refusal('OUTCOME_UNKNOWN'));
    expect(requests).toBe(1);
  });

  it('can be tried again if the subgraph answered so before it executed it', async () => {
    const refuses = answers(503, { errors: [errorWith('TRY_AGAIN')] });
    const { outcome } = await send(mutation, () => refuses);
    expect(outcome).toEqual(refusal('TRY_AGAIN'));
  });

  it('can be tried again if the subgraph refuses connections', async () => {
    const server = createServer();
    const url = await listen(server, '127.0.0.1', 0);
    await close(server);
    const source = openSource(url);
    expect(await source.send(mutation, 'mutation')).toEqual(refusal('TRY_AGAIN'));
    await source.close();
  });

  it('can be tried again if it got no connection in time, because all 96 are in use', async () => {
    const leftMs = [...Array(96).fill(1500), 500];
    const { requests, outcomes } = await sendAll(() => () => {}, { query: mutation, leftMs });
    expect(requests).toBe(96);
    expect(outcomes).toEqual([...Array(96).fill(refusal('OUTCOME_UNKNOWN')), refusal('TRY_AGAIN')]);
  });

  it('can be tried again if the operation ran out of time before it', async () => {
    const { requests, outcomes } = await sendAll(() => data, { query: mutation, leftMs: [0] });
    expect(outcomes).toEqual([refusal('TRY_AGAIN')]);
    expect(requests).toBe(0);
  });

  it('can be tried again if the circuit is open', async () => {
    let requests = 0;
    const server = createServer((request) => {
      requests += 1;
      request.socket.destroy();
    });
    const source = openSource(await listen(server, '127.0.0.1', 0));
    await Promise.all(Array.from({ length: 60 }, (_, n) => source.send(`{ a${n}: a }`, 'query')));
    const before = requests;
    expect(await source.send(mutation, 'mutation')).toEqual(refusal('TRY_AGAIN'));
    expect(requests).toBe(before);
    await source.close();
    await close(server);
  });

  it('keeps TRY_AGAIN of its root field, while fields below it are unavailable', async () => {
    const errors = [
      errorWith('TRY_AGAIN', ['a']),
      errorWith('TRY_AGAIN', ['b', 0, 'c']),
      errorWith('NOT_FOUND', ['b', 1, 'c']),
    ];
    const { outcome } = await send(mutation, () => answers(200, { data: null, errors }));
    expect(outcome).toEqual({
      data: null,
      errors: [
        errors[0],
        {
          path: ['b', 0, 'c'],
          message: expect.stringMatching(/was executed.* test service/),
          extensions: { code: 'UNAVAILABLE', requestId: 'r' },
        },
        errors[2],
      ],
    });
  });
});

describe('a read behind a mutation', () => {
  const query = 'query ($representations: [_Any!]!) { _entities { a } }';
  const read = (answer: RequestListener) => sendAll(() => answer, { query, type: 'mutation' });

  it.each([
    ['closes the connection', hangUp],
    ['answers 503', answers(503, { errors: [errorWith('TRY_AGAIN')] })],
    ['answers with something else than JSON', answers(200, '<html>')],
    ['answers with more than eight megabytes', large],
  ])('is unavailable if the subgraph %s', async (_, answer) => {
    const { outcomes } = await read(answer);
    expect(outcomes).toEqual([refusal('UNAVAILABLE')]);
  });

  it('is sent once more if the connection breaks', async () => {
    expect((await read(hangUp)).requests).toBe(2);
  });

  it('is unavailable where the subgraph answers TRY_AGAIN', async () => {
    const errors = [errorWith('TRY_AGAIN', ['_entities']), errorWith('TRY_AGAIN')];
    const { outcomes } = await read(answers(200, { data: null, errors }));
    expect(outcomes).toEqual([
      { data: null, errors: [refusal('UNAVAILABLE'), refusal('UNAVAILABLE')] },
    ]);
  });
});
