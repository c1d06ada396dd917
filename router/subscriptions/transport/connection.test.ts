import { EventEmitter } from 'node:events';
import { jest } from '@jest/globals';
import { WebSocket } from 'ws';
import { Connection } from './connection.js';

describe('the connection of a client', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  const open = (readyState: number) => {
    const closed: unknown[] = [];
    const close = (...given: unknown[]) => closed.push(given);
    const socket = Object.assign(new EventEmitter(), { readyState, close });
    return { connection: new Connection(socket as unknown as WebSocket, '::1'), closed };
  };

  it('that closed while its token was verified keeps no timer for the expiry', () => {
    const { connection } = open(WebSocket.CLOSED);
    connection.closeAt(Date.now() + 60_000);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('whose session ended is closed with 4403 after the response to its mutation', () => {
    const { connection, closed } = open(WebSocket.OPEN);
    connection.start('mutation');
    connection.closeSoon('The session has ended');
    jest.advanceTimersByTime(1000);
    expect([closed, connection.start('later')]).toEqual([[], false]);
    connection.end('mutation');
    jest.advanceTimersByTime(0);
    expect(closed).toEqual([[4403, 'The session has ended']]);
  });
});
