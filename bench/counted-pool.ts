import { type Dispatcher, Pool } from 'undici';

/** Connections to a server, and how many requests had to wait for one of them: an open loop is closed by these. */
export function openCountedPool(origin: string, connections: number) {
  const pool = new Pool(origin, { connections });
  let running = 0;
  let delayed = 0;
  return {
    async request(options: Dispatcher.RequestOptions): Promise<Dispatcher.ResponseData> {
      if (running >= connections) delayed += 1;
      running += 1;
      try {
        return await pool.request(options);
      } finally {
        running -= 1;
      }
    },
    delayed: () => delayed,
    close: () => pool.close(),
  };
}
export type CountedPool = ReturnType<typeof openCountedPool>;
