import type { ServerResponse } from 'node:http';
import { jest } from '@jest/globals';
import { downloadPace, requirePace } from './download-pace.js';

const kib = 1024;

describe('the connection of a download', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  /** A response of 100 MiB whose socket takes more only when a part of its send buffer of 384 KiB is free. */
  function download(kibPerSecond: number) {
    const stepBytes = 128 * kib;
    const socket = { bytesWritten: 3 * stepBytes, writableLength: 0 };
    const destroy = jest.fn();
    const response = { socket, writableLength: 100 * kib * kib, destroy };
    const end = requirePace(response as unknown as ServerResponse, downloadPace);
    const reading = setInterval(
      () => {
        socket.bytesWritten += stepBytes;
      },
      stepBytes / kib / (kibPerSecond / 1000),
    );
    return {
      destroy,
      end() {
        end();
        clearInterval(reading);
      },
    };
  }

  it('stays while the client reads 10 KiB a second, of which the socket reports 128 KiB at once', () => {
    const { destroy, end } = download(10);
    jest.advanceTimersByTime(600_000);
    expect(destroy).not.toHaveBeenCalled();
    end();
  });

  it('ends when the client reads 4 KiB a second', () => {
    const { destroy, end } = download(4);
    jest.advanceTimersByTime(120_000);
    expect(destroy).toHaveBeenCalled();
    end();
  });
});
