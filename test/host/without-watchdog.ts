import { describe, expect, it } from 'vitest';
import type { KindCase } from './kind-case.ts';
import { inLoadedWorld } from './load.ts';
import { until } from './wire.ts';
import type { World } from './world.ts';

async function applied(world: World, changes: Record<string, string> = {}): Promise<void> {
  expect(await world.inject(changes)).toMatchObject({ code: 0, state: 'APPLIED' });
}

/** Kills processes at the same moment and prints how long workers outlive them, seconds. */
const KILL = `
import glob, os, signal, sys, time
def is_worker(path):
    try:
        with open(path + "/environ", "rb") as file: return any(word.startswith(b"HOLDFAST_WORKER=") for word in file.read().split(b"\\0"))
    except OSError: return False
there = [path for path in glob.glob("/proc/[0-9]*") if is_worker(path)]
assert there, "no workers"
# Stopped first: none may see the other one die.
for number in (signal.SIGSTOP, signal.SIGKILL):
    for pid in sys.argv[1:]: os.kill(int(pid), number)
start = time.monotonic()
while any(map(is_worker, there)) and time.monotonic() < start + 5: time.sleep(0.005)
print(time.monotonic() - start)`;

/** A load is gone although nobody is left to take it back. */
export function withoutWatchdog(kind: KindCase): void {
  describe.concurrent(`a ${kind.kind} fault without its watchdog`, () => {
    it('is gone within a second when both processes of the pair are killed at the same moment', () =>
      inLoadedWorld(kind, async (world) => {
        await applied(world);
        await until('the fault', 3, () => kind.isThere(world));
        const { supervisor, runner } = await world.pair();
        const seconds = Number((await world.exec(['python3', '-c', KILL, supervisor, runner])).out);
        expect(seconds).toBeLessThan(1);
        // A process that dies loses its memory, by which it is known, before its files.
        await until('the end of the fault', 1 - seconds, async () => !(await kind.isThere(world)));
        expect(await world.rollBack('revert')).toMatchObject({ state: 'REVERTED', leftovers: [] });
      }));

    it('leaves no process when the time of the fault has passed and nobody takes it back', () =>
      inLoadedWorld(kind, async (world) => {
        await applied(world, { ttlSeconds: '3' });
        const { supervisor, runner } = await world.pair();
        // Stopped, they hold the pipe open: the worker's own clock is all that is left.
        await world.exec(['kill', '-STOP', supervisor, runner]);
        await until('the end of the fault', 5, async () => !(await kind.isThere(world)));
        expect(await world.rollBack('revert')).toMatchObject({ state: 'REVERTED', leftovers: [] });
      }));
  });
}
