/**
 * Charges a client for events, one charge at a time: those that arrive meanwhile are charged together.
 *
 * @param consume charges a number of events
 * @param onRefused is called with what `consume` threw; nothing is charged after that
 */
export function createEventCharge(
  consume: (events: number) => Promise<void>,
  onRefused: (reason: unknown) => void,
): (events: number) => void {
  let uncharged = 0;
  let isRunning = false;
  const run = async () => {
    isRunning = true;
    while (uncharged > 0) {
      const events = uncharged;
      uncharged = 0;
      await consume(events);
    }
    isRunning = false;
  };
  return (events) => {
    uncharged += events;
    if (!isRunning) run().catch(onRefused);
  };
}
