/** Delayed work that ends with the sandbox. It does not keep the process alive. */
export function createTimers() {
  const timers = new Set<NodeJS.Timeout>();
  let stopped = false;

  function after(ms: number, work: () => void): void {
    if (stopped) return;
    const timer = setTimeout(() => {
      timers.delete(timer);
      work();
    }, ms).unref();
    timers.add(timer);
  }

  return {
    after,
    wait: (ms: number) => new Promise<void>((resolve) => after(ms, resolve)),
    stop(): void {
      stopped = true;
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
    },
  };
}
export type Timers = ReturnType<typeof createTimers>;
