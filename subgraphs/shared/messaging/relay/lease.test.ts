import {
  cancelled,
  consumerOf,
  hangingConsumer,
  internalError,
  openOutbox,
  type Sent,
  shipped,
  type TestOutbox,
} from '../../../../tests/harness/outbox.js';
import { eventually } from '../../../../tests/harness/wait.js';
import { newId } from '../../ids.js';
import { relayOnce, startRelay } from './start-relay.js';

describe('a relay whose lease ends before its consumer answers', () => {
  let outbox: TestOutbox;
  beforeAll(async () => {
    outbox = await openOutbox();
  });
  afterEach(() => outbox.empty());
  afterAll(() => outbox.close());

  type Client = ReturnType<typeof consumerOf>;
  const relay = (client: Client) => relayOnce(outbox.parts({ warehouse: client }));
  const called = ({ calls }: { calls(): number }) =>
    eventually(
      async () => calls(),
      (count) => count === 1,
    );
  const leases = () =>
    outbox.query<{ until: string; rejections: number }>(
      `select next_attempt_at::text as until, rejections from outbox
       where sent_at is null order by position`,
    );

  it('sends nothing more of what another relay has claimed since, and does not release it', async () => {
    const [slow, other] = [hangingConsumer(internalError()), hangingConsumer()];
    const key = newId();
    await outbox.write(cancelled(key), shipped(key), cancelled(newId()));
    const first = relay(slow.client);
    await called(slow);
    await outbox.allDue();
    const second = relay(other.client);
    await called(other);
    const claimed = await leases();
    slow.fail();
    await first;
    expect(slow.calls()).toBe(1);
    expect(await leases()).toEqual(claimed);
    other.fail();
    await second;
  });

  it('counts no rejection of an event that another relay has claimed since', async () => {
    const answers: (() => void)[] = [];
    const refusing = consumerOf(async () => {
      await new Promise<void>((resolve) => answers.push(resolve));
      return [];
    });
    const count = (wanted: number) =>
      eventually(
        async () => answers.length,
        (length) => length === wanted,
      );
    await outbox.write(cancelled(newId()));
    const first = relay(refusing);
    await count(1);
    await outbox.allDue();
    const second = relay(refusing);
    await count(2);
    const claimed = await leases();
    answers[0]?.();
    await first;
    expect(await leases()).toEqual(claimed);
    answers[1]?.();
    await second;
    expect(await outbox.unsent()).toMatchObject([{ rejections: 1 }]);
  });

  it('marks what was accepted as sent, also if another relay has claimed it since', async () => {
    const other = hangingConsumer();
    await outbox.write(cancelled(newId()));
    let second: Promise<number> | undefined;
    const accepting = consumerOf(async (events) => {
      await outbox.allDue();
      second = relay(other.client);
      await called(other);
      return events.map(({ id }) => id);
    });
    await relay(accepting);
    expect(await outbox.unsent()).toEqual([]);
    other.fail();
    await second;
  });

  it('extends its lease before each further delivery of a batch', async () => {
    const poison = cancelled(newId());
    await outbox.write(poison, cancelled(newId()), cancelled(newId()), cancelled(newId()));
    const seen: string[] = [];
    const failing = consumerOf(async (events) => {
      // Of the last one: it is unsent until the end of the batch.
      seen.push((await leases()).at(-1)?.until as string);
      if (events.some(({ id }) => id === poison.id)) throw internalError();
      return events.map(({ id }) => id);
    });
    await relay(failing);
    expect(seen).toHaveLength(5);
    expect(new Set(seen).size).toBe(5);
    expect(seen.toSorted()).toEqual(seen);
    expect(await outbox.unsent()).toMatchObject([{ rejections: 1 }]);
  });

  it('still has all events of a key applied in order, while leases end at any time', async () => {
    const keys = Array.from({ length: 12 }, () => newId());
    const written = Array.from({ length: 8 }, (_, n) =>
      keys.map((key) => (n % 2 === 0 ? cancelled(key) : shipped(key))),
    ).flat();
    const applied: Sent[] = [];
    // As an inbox; some events are refused at times, and some deliveries fail as a whole.
    const inbox = consumerOf(async (events) => {
      if (Math.random() < 0.2) throw internalError();
      const [accepted, refused]: [string[], string[]] = [[], []];
      const stopped = new Set<string>();
      for (const event of events) {
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 4));
        if (stopped.has(event.key)) continue;
        if (applied.some(({ id }) => id === event.id)) accepted.push(event.id);
        else if (Math.random() < 0.2) {
          refused.push(event.id);
          stopped.add(event.key);
        } else {
          applied.push(event);
          accepted.push(event.id);
        }
      }
      return { accepted, refused };
    });
    await outbox.write(...written);
    const relays = [1, 2, 3].map(() =>
      startRelay({ ...outbox.parts({ warehouse: inbox }), pollMs: 10 }),
    );
    await eventually(
      async () => {
        await outbox.allDue();
        return outbox.unsent();
      },
      ({ length }) => length === 0,
    );
    await Promise.all(relays.map((each) => each.stop()));
    for (const key of keys) {
      const ofKey = (events: readonly { key: string; id?: string }[]) =>
        events.filter((each) => each.key === key).map(({ id }) => id);
      expect(ofKey(applied)).toEqual(ofKey(written));
    }
  });
});
