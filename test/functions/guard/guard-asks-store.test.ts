import { describe, expect, it } from 'vitest';
import { INJECTION_DEADLINE_MS, OBSERVED_DEADLINE_MS, STORE_LOOK } from '../../../functions/domain/timing.ts';
import { judge } from '../../../functions/domain/verdict.ts';
import { fullRun } from '../domain/fixtures.ts';
import { askedStore, type Said, TOO_FEW } from './asked-store.ts';
import { world } from './guard-world.ts';

const NEVER: Said = { takesMs: Number.POSITIVE_INFINITY };
const maxAgeMs = STORE_LOOK.maxAgeSeconds * 1000;
const BROKEN_AT_MS = 20_000;

/** A guard of a cluster whose store is asked too. */
function guarded(say: (look: number, atMs: number) => Said) {
  const given = world({ injectAtMs: 0 });
  const store = askedStore(given.clock, (look) => say(look, given.clock.monotonicMs()));
  given.task.clusters = given.task.clusters.map((cluster) => ({ ...cluster, gate: store.gate }));
  const beatsAtMs: number[] = [];
  const { renew } = given.dependencies.leases;
  given.dependencies.leases.renew = async (...beat) => {
    beatsAtMs.push(given.clock.monotonicMs());
    return renew(...beat);
  };
  const verdict = () => {
    const [stopped] = given.audit.detailsOf('GUARD_STOPPED');
    const limits = { rtoSeconds: 15, unavailableSeconds: 30, lostAcknowledgedWrites: 0 };
    return judge(fullRun({ GUARD_STOPPED: stopped }), { 'redis-master': limits });
  };
  return { ...given, store, beatsAtMs, verdict };
}

describe('a guard that asks the store', () => {
  it('ends the fault within a look and an evaluation of a loss, and says which partition and how few', async () => {
    const refusing = { takesMs: 20, refusal: TOO_FEW };
    const { run, acts, audit, clock, verdict } = guarded((_look, atMs) =>
      atMs >= BROKEN_AT_MS ? refusing : { takesMs: 20 },
    );
    await expect(run()).rejects.toMatchObject({
      name: 'GuardrailBreached',
      message: `storeRedundancy: ${TOO_FEW.detail}`,
    });
    expect(acts.slice(-3)).toEqual(['beat', 'release GUARDRAIL', 'GUARD_STOPPED']);
    expect(audit.detailsOf('GUARD_STOPPED')).toMatchObject([
      { reason: 'GUARDRAIL', breaches: [{ guardrail: 'storeRedundancy', cluster: 'redis-master', value: 1 }] },
    ]);
    expect(clock.monotonicMs() - BROKEN_AT_MS).toBeLessThanOrEqual(STORE_LOOK.everyMs + 20 + 1000);
    expect(verdict()).toMatchObject({ status: 'ABORTED', outcome: 'DEVIATED' });
  });

  it('ends a fault of whose store it hears nothing any more, and concludes nothing from that', async () => {
    const { run, beatsAtMs, verdict, clock, acts } = guarded((_look, atMs) =>
      atMs >= BROKEN_AT_MS ? NEVER : { takesMs: 20 },
    );
    await expect(run()).rejects.toThrow(/^storeRedundancy: the store answered last what it was asked 8\.\d s ago/);
    expect(clock.monotonicMs() - BROKEN_AT_MS).toBeLessThanOrEqual(maxAgeMs + 1000);
    expect(acts.at(-2)).toBe('release GUARDRAIL');
    expect(verdict()).toMatchObject({ status: 'ABORTED', outcome: 'INCONCLUSIVE' });
    // The beats did not wait for it before.
    for (const [index, atMs] of beatsAtMs.slice(1).entries())
      expect(atMs - (beatsAtMs[index] ?? 0)).toBeLessThanOrEqual(1050);
  });

  it.each([
    ['hangs', NEVER],
    ['cannot be asked', { takesMs: 10, error: 'no route' }],
    ['knows of a loss already', { takesMs: 10, refusal: TOO_FEW }],
  ])('adds no beat, so that nothing is injected, when the store %s at the first look', async (_what, said) => {
    const { run, clock, acts, store } = guarded(() => said);
    await expect(run()).rejects.toMatchObject({ name: 'GuardrailBreached' });
    expect(acts).toEqual(['release GUARDRAIL', 'GUARD_STOPPED']);
    expect(clock.monotonicMs()).toBeLessThan(OBSERVED_DEADLINE_MS);
    expect(store.askedAtMs).toHaveLength(1);
  });

  it('adds its first beat after the first answer, and each one after that in time, however slow the store is', async () => {
    const { run, beatsAtMs, lease, audit, store } = guarded(() => ({ takesMs: 3000 }));
    await run();
    expect(lease.state).toBe('HOLD');
    expect(beatsAtMs[0]).toBe(3000);
    for (const [index, atMs] of beatsAtMs.slice(1).entries())
      expect(atMs - (beatsAtMs[index] ?? 0)).toBeLessThanOrEqual(1050);
    expect(store.seen.mostAtOnce).toBe(1);
    // The age of the answer makes no evaluation come sooner.
    expect(audit.detailsOf('GUARD_STOPPED')[0]?.evaluations).toBeLessThan(80);
  });

  it('keeps the answer with the lease, beside the readings of the guardrails', async () => {
    const { run, dependencies } = guarded(() => ({ takesMs: 20 }));
    const { renew } = dependencies.leases;
    const kept = new Set<string>();
    dependencies.leases.renew = async (id, readings) => {
      for (const { guardrail } of readings) kept.add(guardrail);
      return renew(id, readings);
    };
    await run();
    expect([...kept]).toEqual(expect.arrayContaining(['errorRatePct', 'storeRedundancy']));
  });

  it('asks the store no more once it has ended, however it ended', async () => {
    for (const breaksAtMs of [BROKEN_AT_MS, Number.POSITIVE_INFINITY]) {
      const { run, clock, store } = guarded((_look, atMs) =>
        atMs >= breaksAtMs ? { takesMs: 20, refusal: TOO_FEW } : { takesMs: 20 },
      );
      await run().catch(() => undefined);
      const asked = store.askedAtMs.length;
      await clock.sleep(30_000);
      expect(store.askedAtMs.length).toBeLessThanOrEqual(asked);
    }
  });

  it('counts the wait for the first answer as part of the wait for an injection', async () => {
    const { run, clock, dependencies, lease } = guarded(() => ({ takesMs: 3000 }));
    dependencies.leases.renew = async () => lease;
    await expect(run()).rejects.toMatchObject({ name: 'LeaseReleased' });
    expect(clock.monotonicMs()).toBeLessThan(INJECTION_DEADLINE_MS + 2000);
  });
});
