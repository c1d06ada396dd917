import {
  cancelled,
  consumerOf,
  hangingConsumer,
  internalError,
  openOutbox,
  recordingConsumer,
  shipped,
  type TestOutbox,
  unreachable,
} from '../../../../tests/harness/outbox.js';
import { eventually } from '../../../../tests/harness/wait.js';
import { newId } from '../../ids.js';
import { relayOnce, startRelay } from './start-relay.js';

describe('relays', () => {
  let outbox: TestOutbox;
  beforeAll(async () => {
    outbox = await openOutbox();
  });
  afterEach(() => outbox.empty());
  afterAll(() => outbox.close());

  it('send all of a key of `each`, in order, also over several batches and relays', async () => {
    const warehouse = recordingConsumer();
    const keys = Array.from({ length: 30 }, () => newId());
    const messages = Array.from({ length: 12 }, (_, n) =>
      keys.map((key) => (n % 2 === 0 ? cancelled(key) : shipped(key))),
    ).flat();
    await outbox.write(...messages);
    const relays = [1, 2, 3].map(() => startRelay(outbox.parts({ warehouse: warehouse.client })));
    await eventually(outbox.unsent, ({ length }) => length === 0);
    await Promise.all(relays.map((relay) => relay.stop()));
    expect(warehouse.sent()).toHaveLength(messages.length);
    for (const key of keys) {
      const written = messages.filter((each) => each.key === key).map(({ id }) => id);
      expect(warehouse.ofKey(key).map(({ id }) => id)).toEqual(written);
    }
  });

  it.each([
    ['another relay delivers', 0, 250],
    ['backs off', 1, 1000],
  ])('look again soon at an event behind one that %s', async (_, rejections, waitMs) => {
    const key = newId();
    await outbox.write(cancelled(key));
    await outbox.query(
      `update outbox set rejections = $1, next_attempt_at = now() + interval '15 s'`,
      [rejections],
    );
    await outbox.write(shipped(key));
    expect(await relayOnce(outbox.parts({ warehouse: recordingConsumer().client }))).toBe(0);
    const rows = await outbox.query(
      `select extract(epoch from next_attempt_at - updated_at)::float8 * 1000 as "waitMs"
       from outbox where topic = 'order.units.shipped'`,
    );
    expect(rows).toEqual([{ waitMs }]);
  });

  it('do not send a later event of `each` while another relay delivers an earlier one', async () => {
    const [slow, other] = [hangingConsumer(), recordingConsumer()];
    const key = newId();
    await outbox.write(cancelled(key));
    const first = relayOnce(outbox.parts({ warehouse: slow.client }));
    await eventually(
      async () => slow.calls(),
      (calls) => calls === 1,
    );
    await outbox.write(shipped(key), shipped(newId()));
    await relayOnce(outbox.parts({ warehouse: other.client }));
    expect(other.sent()).toHaveLength(1);
    expect(other.sent()[0]?.key).not.toBe(key);
    slow.fail();
    await first;
    await outbox.allDue();
    await relayOnce(outbox.parts({ warehouse: other.client }));
    expect(other.verbs()).toEqual(['shipped', 'cancelled', 'shipped']);
  });

  it.each(['refuses', 'fails on'])(
    'stop the key of an event that its consumer %s, and no other',
    async (how) => {
      const [key, otherKey] = [newId(), newId()];
      const [first, second, third] = [cancelled(key), shipped(key), cancelled(key)];
      const inbox = consumerOf(async (events) => {
        const ids = events.map(({ id }) => id);
        if (!ids.includes(first.id as string)) return ids;
        if (how === 'fails on') throw internalError();
        // What follows a refused one of its key is not tried.
        const ofOthers = events.filter((each) => each.key !== key).map(({ id }) => id);
        return { accepted: ofOthers, refused: [first.id as string] };
      });
      const accepting = recordingConsumer();
      await outbox.write(first, second, cancelled(otherKey), third, shipped(otherKey));
      for (let n = 0; n < 19; n++) {
        await relayOnce(outbox.parts({ warehouse: inbox }));
        await outbox.allDue();
      }
      const waiting = { rejections: 0, dead: false };
      expect(await outbox.unsent()).toMatchObject([
        { rejections: 19, dead: false },
        waiting,
        waiting,
      ]);
      await relayOnce(outbox.parts({ warehouse: inbox }));
      await outbox.allDue();
      expect(await relayOnce(outbox.parts({ warehouse: inbox }))).toBe(0);
      expect(await outbox.unsent()).toMatchObject([
        { rejections: 20, dead: true },
        waiting,
        waiting,
      ]);
      await outbox.write(shipped(otherKey));
      expect(await relayOnce(outbox.parts({ warehouse: inbox }))).toBe(1);

      // Discarded, as the runbook says.
      await outbox.query('update outbox set sent_at = now(), updated_at = now() where id = $1', [
        first.id,
      ]);
      await outbox.allDue();
      await relayOnce(outbox.parts({ warehouse: accepting.client }));
      expect(await outbox.unsent()).toEqual([]);
      expect(accepting.ofKey(key)).toMatchObject([{ id: second.id }, { id: third.id }]);
    },
  );

  it('send nothing of a batch after a delivery whose outcome is unknown', async () => {
    const key = newId();
    const poison = shipped(newId());
    const posted: string[][] = [];
    const client = consumerOf(async (events) => {
      posted.push(events.map(({ id }) => id));
      throw events.some(({ id }) => id === poison.id) ? internalError() : unreachable();
    });
    const [first, second] = [cancelled(key), shipped(key)];
    await outbox.write(first, second, poison);
    await relayOnce(outbox.parts({ warehouse: client }));
    expect(posted).toEqual([
      [first.id, second.id, poison.id],
      [first.id, second.id],
    ]);
    expect(await outbox.unsent()).toMatchObject([
      { waits: true },
      { waits: true },
      { waits: true },
    ]);
  });
});
