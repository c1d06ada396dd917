import { quicknet, roundAt, timeOfRound } from './beacon-chain.js';
import { isSignatureOfRound } from './beacon-signature.js';

// Round 1000 of the chain `quicknet`, as drand published it.
const round = 1000;
const signature = Buffer.from(
  'b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39',
  'hex',
);

describe('the beacon', () => {
  it('of quicknet is known by its signature', () => {
    expect(isSignatureOfRound(quicknet.publicKey, round, signature)).toBe(true);
  });

  it('is refused with a changed signature, of another round, and with anything else', () => {
    for (let at = 0; at < signature.length; at += 7) {
      const changed = Buffer.from(signature);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      expect([at, isSignatureOfRound(quicknet.publicKey, round, changed)]).toEqual([at, false]);
    }
    expect(isSignatureOfRound(quicknet.publicKey, round + 1, signature)).toBe(false);
    for (const other of [Buffer.alloc(0), Buffer.alloc(48), signature.subarray(1)]) {
      expect(isSignatureOfRound(quicknet.publicKey, round, other)).toBe(false);
    }
  });

  it('has the first round that is due at a time or after it', () => {
    const due = timeOfRound(quicknet, round);
    expect(due.toISOString()).toBe('2023-08-23T15:59:24.000Z');
    const at = (ms: number) => roundAt(quicknet, new Date(due.getTime() + ms));
    expect([at(-3000), at(-2999), at(-1), at(0), at(1)]).toEqual([
      round - 1,
      round,
      round,
      round,
      round + 1,
    ]);
    expect(roundAt(quicknet, new Date(0))).toBe(1);
  });
});
