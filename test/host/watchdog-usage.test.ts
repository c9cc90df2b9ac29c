import { expect, it } from 'vitest';
import { readWatchdogUsage } from '../../bench/watchdog-usage.ts';
import { until } from './wire.ts';
import { inWorld } from './world.ts';

const SAMPLE_MS = 20_000;

it('costs at most 1 % of one core and 25 MB while it holds a fault over TLS', () =>
  inWorld('network-partition', async (world) => {
    expect(await world.inject({ ttlSeconds: '120' })).toMatchObject({ code: 0, state: 'APPLIED' });
    const before = readWatchdogUsage(world.firstPid);
    const startedMs = performance.now();
    await until('the sample', 60, async () => performance.now() - startedMs > SAMPLE_MS);
    const after = readWatchdogUsage(world.firstPid);
    const elapsedSeconds = (performance.now() - startedMs) / 1000;
    expect(await world.connects('peer')).toBe(false);
    expect((after.cpuSeconds - before.cpuSeconds) / elapsedSeconds).toBeLessThan(0.01);
    expect(after.proportionalMegabytes).toBeGreaterThan(5);
    expect(after.proportionalMegabytes).toBeLessThan(25);
  }));
