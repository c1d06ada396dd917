import { DriverException } from '@mikro-orm/core';
import { eventually } from '../../../tests/harness/wait.js';
import { PoolBusy } from '../database/pool/pool-queue.js';
import { badInput, OutcomeUnknown } from '../errors.js';
import { createLogger } from '../observability/logger.js';
import { requestTrace } from '../observability/request-context.js';
import { maskErrors } from './error-format.js';

describe('errors', () => {
  const lines: string[] = [];
  const logger = createLogger('test', 'error', {
    destination: { write: (line) => void lines.push(line) },
  });
  const mask = maskErrors(logger);

  it('of the domain are sent unchanged, without a stack trace', () => {
    const error = badInput({ 'input.name': 'is empty' });
    expect(
      mask({ ...error.toJSON(), extensions: { ...error.extensions, stacktrace: [] } }, error),
    ).toMatchObject({
      message: 'input.name: is empty',
      extensions: { code: 'BAD_USER_INPUT', fields: { 'input.name': 'is empty' } },
    });
  });

  it.each(['57014', '55P03', '08006'])(
    'of a database that is slow or unreachable (%s) become TRY_AGAIN',
    (code) => {
      const thrown = Object.assign(new Error('no'), { code });
      const formatted = { message: 'no', extensions: { code: 'INTERNAL_SERVER_ERROR' } };
      expect(mask(formatted, thrown)).toMatchObject({ extensions: { code: 'TRY_AGAIN' } });
    },
  );

  it('of a busy pool become TRY_AGAIN, and are counted in one line', async () => {
    const warnings: string[] = [];
    const write = (line: string) => void warnings.push(line);
    const maskBusy = maskErrors(createLogger('test', 'warn', { destination: { write } }));
    const formatted = { message: 'no', extensions: { code: 'INTERNAL_SERVER_ERROR' } };
    for (const thrown of [
      new PoolBusy('late', false),
      new DriverException(new PoolBusy('full', false)),
    ]) {
      expect(maskBusy(formatted, thrown)).toMatchObject({ extensions: { code: 'TRY_AGAIN' } });
    }
    expect(warnings).toEqual([]);
    await eventually(
      async () => warnings.length,
      (count) => count > 0,
    );
    expect(warnings.map((line) => JSON.parse(line))).toMatchObject([{ refused: 2 }]);
  });

  it('of a pool that was busy half-way become TRY_AGAIN, and are logged in full', () => {
    const formatted = { message: 'no', extensions: { code: 'INTERNAL_SERVER_ERROR' } };
    for (const thrown of [
      new PoolBusy('late', true),
      new DriverException(new PoolBusy('late', true)),
    ]) {
      const before = lines.length;
      expect(mask(formatted, thrown)).toMatchObject({ extensions: { code: 'TRY_AGAIN' } });
      expect(lines.slice(before).map((line) => JSON.parse(line))).toMatchObject([
        { msg: 'request failed' },
      ]);
    }
  });

  it('of a COMMIT whose answer was lost become OUTCOME_UNKNOWN', () => {
    const thrown = new OutcomeUnknown('the answer to COMMIT was lost');
    const formatted = { message: 'no', extensions: { code: 'INTERNAL_SERVER_ERROR' } };
    expect(mask(formatted, thrown)).toEqual({
      message:
        'It is not known whether this happened. Repeat it with the same idempotencyKey, or check first.',
      extensions: { code: 'OUTCOME_UNKNOWN' },
    });
  });

  it('of any other kind are logged in full and masked, with the id of the request', () => {
    const thrown = new Error('password authentication failed for role "x"');
    const masked = requestTrace.run({ requestId: 'request-1' }, () =>
      mask({ message: thrown.message, extensions: { code: 'INTERNAL_SERVER_ERROR' } }, thrown),
    );
    expect(masked).toEqual({
      message: 'Something went wrong on our side.',
      extensions: { code: 'INTERNAL_SERVER_ERROR', requestId: 'request-1' },
    });
    expect(lines.at(-1)).toContain('password authentication failed');
  });
});
