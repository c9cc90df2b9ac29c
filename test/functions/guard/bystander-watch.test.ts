import { describe, expect, it, vi } from 'vitest';
import { BystanderWatch } from '../../../functions/guard/bystander-watch.ts';
import { log } from '../../../functions/runtime/log.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';
import { fakeTelemetry, WELL } from './fake-telemetry.ts';
import { cluster } from './fixtures.ts';

function world(held: string[] = []) {
  const clock = new SimulatedClock();
  const values = { ...WELL };
  const engaged: { reason: string; atMs: number }[] = [];
  const state = { engageFails: 0, locksFail: false, engageTakesMs: 0 };
  const watch = new BystanderWatch({
    settings: { clusters: 1, forSeconds: 5 },
    bystanders: [{ name: 'orders', cluster, telemetry: fakeTelemetry(values) }],
    locks: {
      list: async () => {
        if (state.locksFail) throw new Error('no answer');
        return held.map((name) => ({ cluster: name, experimentId: 'other', endsAt: '' }));
      },
    },
    engage: async (reason) => {
      if (state.engageFails-- > 0) throw new Error('no answer');
      await clock.sleep(state.engageTakesMs);
      engaged.push({ reason, atMs: clock.monotonicMs() });
    },
    clock,
  });
  return { clock, values, engaged, state, watch };
}

describe('the watch over the clusters that no experiment touches', () => {
  it('engages the kill switch once when one breaks, and tries again while it cannot', async () => {
    const { clock, values, engaged, state, watch } = world();
    watch.start();
    await clock.sleep(3000);
    values.errorRatePct = 50;
    state.engageFails = 2;
    await clock.sleep(60_000);
    await watch.stop();
    expect(engaged).toHaveLength(1);
    expect(engaged[0]?.reason).toMatch(/orders \(errorRatePct: 50 % is above/);
    // Seen at 4 s, for 5 s at the look of 10 s, and two looks later for the third time.
    expect(engaged[0]?.atMs).toBe(14_000);
  });

  it('leaves a cluster alone that another experiment holds', async () => {
    const { clock, values, engaged, watch } = world(['orders']);
    watch.start();
    values.errorRatePct = 50;
    await clock.sleep(60_000);
    await watch.stop();
    expect(engaged).toEqual([]);
  });

  it('says nothing while nobody knows which clusters are under experiment', async () => {
    const { clock, values, engaged, state, watch } = world();
    watch.start();
    await clock.sleep(3000);
    values.errorRatePct = 50;
    state.locksFail = true;
    await clock.sleep(60_000);
    expect(engaged).toEqual([]);
    await watch.stop();
  });

  it('is stopped only when the switch that it is engaging is engaged', async () => {
    const { clock, values, engaged, state, watch } = world();
    state.engageTakesMs = 1500;
    watch.start();
    await clock.sleep(3000);
    values.errorRatePct = 50;
    await clock.sleep(7100);
    expect(engaged).toEqual([]);
    await watch.stop();
    expect(engaged).toHaveLength(1);
  });

  it('is stopped also when the switch that it is engaging cannot be', async () => {
    const { clock, values, watch, state } = world();
    state.engageFails = Number.POSITIVE_INFINITY;
    watch.start();
    await clock.sleep(3000);
    values.errorRatePct = 50;
    await clock.sleep(20_000);
    await expect(watch.stop()).resolves.toBeUndefined();
  });

  it('says which cluster does not count, once', async () => {
    const warned = vi.spyOn(log, 'warn').mockImplementation(() => {});
    const { clock, values, watch } = world();
    values.errorRatePct = 50;
    watch.start();
    await clock.sleep(20_000);
    await watch.stop();
    expect(warned.mock.calls).toEqual([
      [expect.stringContaining('does not count'), { cluster: 'orders', why: expect.stringContaining('not well') }],
    ]);
    warned.mockRestore();
  });

  it('engages nothing after it was stopped', async () => {
    const { clock, values, engaged, watch } = world();
    watch.start();
    await clock.sleep(3000);
    values.errorRatePct = 50;
    await clock.sleep(3000);
    await watch.stop();
    await clock.sleep(60_000);
    expect(engaged).toEqual([]);
  });
});
