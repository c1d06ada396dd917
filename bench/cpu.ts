import { readdirSync, readFileSync } from 'node:fs';

const msPerTick = 10;

/** CPU time of a process and its children, including those that have exited, in milliseconds; 0 without /proc. */
export function cpuMsOf(processId: number): number {
  let ticks = 0;
  for (const stat of readStats()) {
    if (stat.id === processId) ticks += stat.ownTicks + stat.endedTicks;
    else if (stat.parent === processId) ticks += stat.ownTicks;
  }
  return ticks * msPerTick;
}

/** CPU time since its start of a machine's other processes: those that are not of this benchmark. */
export function othersCpuMs(): number {
  const stats = readStats();
  const ours = new Set([process.pid]);
  for (let size = 0; size < ours.size; ) {
    size = ours.size;
    for (const { id, parent } of stats) if (ours.has(parent)) ours.add(id);
  }
  let oursTicks = 0;
  for (const stat of stats) if (ours.has(stat.id)) oursTicks += stat.ownTicks + stat.endedTicks;
  return (busyTicks() - oursTicks) * msPerTick;
}

interface Stat {
  readonly id: number;
  readonly parent: number;
  readonly ownTicks: number;
  readonly endedTicks: number;
}

function readStats(): Stat[] {
  try {
    const entries = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    return entries.flatMap((entry) => readStat(entry));
  } catch {
    return [];
  }
}

function readStat(processId: string): Stat[] {
  try {
    const text = readFileSync(`/proc/${processId}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const [, parent] = fields;
    const [user, system, endedUser, endedSystem] = fields.slice(11, 15).map(Number);
    return [
      {
        id: Number(processId),
        parent: Number(parent),
        ownTicks: (user ?? 0) + (system ?? 0),
        endedTicks: (endedUser ?? 0) + (endedSystem ?? 0),
      },
    ];
  } catch {
    return []; // it has exited meanwhile
  }
}

/** Time that all cores worked, in the unit of /proc; 0 without it. */
function busyTicks(): number {
  try {
    const [first = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
    const [user, nice, system, , , irq, softIrq] = first.split(/\s+/).slice(1).map(Number);
    return [user, nice, system, irq, softIrq].reduce<number>((sum, ticks) => sum + (ticks ?? 0), 0);
  } catch {
    return 0;
  }
}
