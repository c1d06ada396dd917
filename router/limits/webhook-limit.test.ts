import type { ConsumeLimit } from './rate-limits.js';
import { forwardWebhook, refusedWebhookPoints } from './webhook-limit.js';

describe('a webhook', () => {
  let consumed: Parameters<ConsumeLimit>[];
  let isOver: boolean;
  beforeEach(() => {
    consumed = [];
    isOver = false;
  });
  const consumeLimit: ConsumeLimit = async (...consumption) => {
    consumed.push(consumption);
    if (isOver) throw new Error('over the limit');
  };
  /** Forwards one that is answered with a status; null: its sender did not wait. */
  const forward = async (status: number | null, onForward = () => {}) => {
    const response = { headersSent: false, statusCode: 200 };
    await forwardWebhook(consumeLimit, '198.51.100.1', response, async () => {
      onForward();
      if (status !== null) Object.assign(response, { headersSent: true, statusCode: status });
    });
  };

  it.each([
    ['is accepted', 200, []],
    ['finds the order subgraph unavailable', 503, []],
    ['is forged', 400, [['ip', '198.51.100.1', refusedWebhookPoints]]],
    ['is of another provider', 404, [['ip', '198.51.100.1', refusedWebhookPoints]]],
    ['is too large', 413, [['ip', '198.51.100.1', refusedWebhookPoints]]],
    ['is not waited for', null, [['ip', '198.51.100.1', 1]]],
  ])('that %s is counted by its answer alone', async (_, status, expected) => {
    await forward(status, () => expect(consumed).toEqual([['ip', '198.51.100.1', 0]]));
    expect(consumed.slice(1)).toEqual(expected);
  });

  it('of an address that is over its limit is not forwarded', async () => {
    isOver = true;
    const forwarded: boolean[] = [];
    await expect(forward(200, () => forwarded.push(true))).rejects.toThrow('over the limit');
    expect(forwarded).toEqual([]);
  });

  it('that has been answered does not fail by the limit', async () => {
    await forward(400, () => {
      isOver = true;
    });
    expect(consumed).toHaveLength(2);
  });
});
