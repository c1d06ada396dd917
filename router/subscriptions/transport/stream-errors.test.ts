import { GraphQLError } from 'graphql';
import { StreamEnd } from '../feed/client-stream.js';
import { formatStreamErrors } from './stream-errors.js';

describe('the errors that end a stream', () => {
  const formatted: unknown[] = [];
  const format = (errors: readonly unknown[]) => {
    formatted.push(...errors);
    return [{ message: 'formatted' }];
  };
  beforeEach(() => {
    formatted.length = 0;
  });
  const wrapped = (originalError: Error) => new GraphQLError('', { originalError });

  it('are formatted, and so logged', () => {
    const error = wrapped(new Error('a fault'));
    expect(formatStreamErrors([error], format)).toEqual([{ message: 'formatted' }]);
    expect(formatted).toEqual([error]);
  });

  it('are those of the end of the stream, which are formatted already', () => {
    const errors = [{ message: 'too slow' }];
    expect(formatStreamErrors([wrapped(new StreamEnd(errors))], format)).toEqual(errors);
    expect(formatted).toEqual([]);
  });

  it.each(['EPIPE', 'ECONNRESET'])('are not logged when the client has gone (%s)', (code) => {
    const error = wrapped(Object.assign(new Error(`write ${code}`), { code }));
    expect(formatStreamErrors([error], format)).toMatchObject([
      { extensions: { code: 'TRY_AGAIN' } },
    ]);
    expect(formatted).toEqual([]);
  });
});
