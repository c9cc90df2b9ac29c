import type { World } from './world.ts';

/** Prints `<boot clock> <state letter>` of a process at each change, for so many seconds. */
const WATCH = `
import os, sys, time
os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(2))
now = lambda: time.clock_gettime(time.CLOCK_BOOTTIME)
last, until = None, now() + float(sys.argv[2])
while now() < until:
    with open(f"/proc/{sys.argv[1]}/stat") as file: letter = file.read().rpartition(")")[2].split()[0]
    stands = letter == "T"
    if stands != last: print(now(), "stands" if stands else "runs", flush=True)
    last = stands
    time.sleep(0.002)`;

/** How a process has stood still during so many seconds. */
export async function pausesOf(world: World, pid: string, seconds: number): Promise<{ from: number; to: number }[]> {
  const out = (await world.exec(['python3', '-c', WATCH, pid, String(seconds)])).out;
  const changes = out.split('\n').map((line) => line.split(' '));
  return changes.flatMap(([at, what], index) => {
    const next = changes[index + 1];
    // What had begun before the watch, or ended after it, has no length.
    return what === 'stands' && index > 0 && next ? [{ from: Number(at), to: Number(next[0]) }] : [];
  });
}
