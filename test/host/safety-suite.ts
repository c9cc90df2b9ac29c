import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Host } from './host.ts';
import type { KindCase } from './kind-case.ts';
import { replay } from './replay.ts';
import { until } from './wire.ts';

/** How patient the suite is, seconds: a guest kernel is slower than a namespace. */
export interface Limits {
  /** From the death, stop or hang of one of our processes to the end of the fault. */
  deathSeconds: number;
  /** From a released lease to the end of the fault. */
  releaseSeconds: number;
  /** From the last beat to the end of the fault, beyond `leaseGraceSeconds`. */
  lossSeconds: number;
  /** From the end of the TTL to the end of the fault. */
  ttlSeconds: number;
}

type Open = (kind: KindCase, test: (host: Host) => Promise<void>) => Promise<void>;

const TTL_SECONDS = 6;
const GRACE_SECONDS = 3;

/** `change`: what every change is tested with, `npm test`; `rest`: all the others, `npm run test:exhaustive`. */
export type Share = 'change' | 'rest';

/** Every way out is tested at every change on one kind of each mechanism: packet filter, process, load, disk. */
const WHOLE_AT_EVERY_CHANGE = ['network-partition', 'process-pause', 'cpu-spike', 'disk-full'];
/** And these on all kinds; on the clock too, whose tests take ten times as long: they need a guest kernel. */
const WAYS_AT_EVERY_CHANGE = [
  'is there while it is watched, and gone after its TTL',
  'ends when its lease is lost',
  'ends when the runner gets SIGKILL',
  'is reverted twice as well as once',
];
const REVERTED_BEFORE = { code: 3, state: 'REFUSED', reason: expect.stringMatching(/reverted before/) };
/** No kind changes what refuses it, and that waits for 10 s: test/host/lease.test.ts has it once at every change. */
const NEVER_GRANTED = 'is never applied when nobody grants it';

function shareOf(kind: KindCase, way: string): Share {
  if (way === NEVER_GRANTED) return 'rest';
  return WHOLE_AT_EVERY_CHANGE.includes(kind.kind) || WAYS_AT_EVERY_CHANGE.includes(way) ? 'change' : 'rest';
}

/**
 * What must be true of every fault kind, whatever ends it: it is there while it is watched, and afterwards it is gone and
 * the host is as it was. Each is observed on the world; what we say of ourselves is never the proof.
 */
export function safetySuite(kind: KindCase, open: Open, limits: Limits, share: Share): void {
  const test = (name: string, body: (scene: Scene) => Promise<void>) => {
    if (shareOf(kind, name) !== share) return;
    it(name, () =>
      open(kind, async (host) => {
        host.isTraced = true;
        await kind.prepare?.(host);
        const scene = new Scene(host, kind, await kind.traces(host));
        await body(scene);
        await scene.isDecidedAgain();
      }),
    );
  };

  test('is there while it is watched, and gone after its TTL', async (scene) => {
    await scene.apply({ ttlSeconds: String(TTL_SECONDS) });
    const end = await scene.isGoneWithin(TTL_SECONDS + limits.ttlSeconds);
    expect(end.revertReason).toBe('TTL');
  });

  test('ends when its lease is lost', async (scene) => {
    await scene.apply();
    scene.host.setLease({ mode: 'frozen' });
    expect((await scene.isGoneWithin(GRACE_SECONDS + limits.lossSeconds)).revertReason).toBe('LEASE_LOST');
  });

  test('ends when the lease table does not answer any more', async (scene) => {
    await scene.apply();
    scene.host.setLease({ mode: 'hang' });
    expect((await scene.isGoneWithin(GRACE_SECONDS + limits.lossSeconds)).revertReason).toBe('LEASE_LOST');
  });

  test('ends when the experiment is aborted', async (scene) => {
    await scene.apply();
    scene.host.setLease({ state: 'RELEASED' });
    expect((await scene.isGoneWithin(limits.releaseSeconds)).revertReason).toBe('LEASE_RELEASED');
  });

  test('ends when the kill switch is engaged', async (scene) => {
    await scene.apply();
    scene.host.setLease({ global: 'RELEASED' });
    expect((await scene.isGoneWithin(limits.releaseSeconds)).revertReason).toBe('KILL_SWITCH');
  });

  for (const signal of ['KILL', 'STOP'] as const) {
    for (const half of ['supervisor', 'runner'] as const) {
      test(`ends when the ${half} gets SIG${signal}`, async (scene) => {
        await scene.apply();
        await scene.host.signal(signal, (await scene.host.pair())[half]);
        expect((await scene.isGoneWithin(limits.deathSeconds)).revertReason).toBe('WATCHDOG_DIED');
      });
    }

    if (hasWorkers(kind)) {
      test(`ends when one of its workers gets SIG${signal}`, async (scene) => {
        await scene.apply();
        await scene.host.signal(signal, (await workersOf(scene.host)).at(-1) ?? 'none');
        expect((await scene.isGoneWithin(limits.deathSeconds)).revertReason).toBe('WORKER_DIED');
      });
    }
  }

  test('does no more when it is injected twice, and one revert ends it', async (scene) => {
    await scene.apply();
    expect(await scene.inject()).toMatchObject({ code: 0, state: 'APPLIED' });
    expect(await scene.host.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED' });
    await scene.isGoneWithin(0);
  });

  test('is reverted twice as well as once', async (scene) => {
    await scene.apply();
    expect(await scene.host.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
    expect(await scene.host.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
    await scene.isGoneWithin(0);
  });

  test('is refused after a revert that came first, and that changed nothing', async (scene) => {
    expect(await scene.host.rollBack('revert')).toMatchObject({ code: 0, state: 'NOTHING_TO_REVERT' });
    expect(await scene.inject()).toMatchObject(REVERTED_BEFORE);
    expect(await scene.isThere()).toBe(false);
    expect(await scene.traces()).toBe(scene.before);
  });

  test('is refused after it was reverted', async (scene) => {
    await scene.apply();
    await scene.host.rollBack('revert');
    expect(await scene.inject()).toMatchObject(REVERTED_BEFORE);
    await scene.isGoneWithin(0);
  });

  test('is gone when it is reverted while it is being applied', async (scene) => {
    // It waits for its lease until the revert is done: a busy machine may take longer to revert than to apply.
    scene.host.setLease({ mode: 'frozen' });
    const injecting = scene.inject();
    await until('the arming', 15, async () => (await scene.host.status()).state !== 'NOTHING_TO_REVERT');
    const reverted = await scene.host.rollBack('revert');
    scene.host.setLease({ mode: 'advancing' });
    expect(['REVERTED', 'REFUSED', 'NOTHING_TO_REVERT']).toContain(reverted.state);
    expect((await injecting).state).not.toBe('APPLIED');
    await until('the end', 5, async () => !(await scene.isThere()));
    expect(await scene.traces()).toBe(scene.before);
  });

  test(NEVER_GRANTED, async (scene) => {
    expect(await scene.inject({}, false)).toMatchObject({ code: 3, state: 'REFUSED' });
    expect(await scene.isThere()).toBe(false);
    expect(await scene.traces()).toBe(scene.before);
  });

  test('is taken back by the roll-back command when both processes were killed at the same moment', async (scene) => {
    await scene.apply();
    const { supervisor, runner } = await scene.host.pair();
    await scene.host.exec(['kill', '-KILL', supervisor, runner]);
    expect(await scene.host.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
    await scene.isGoneWithin(0);
  });
}

function hasWorkers({ kind, withoutWorker }: KindCase): boolean {
  if (withoutWorker) return false;
  return readFileSync(new URL(`../../host/faults/${kind.replaceAll('-', '_')}.py`, import.meta.url), 'utf8').includes(
    '\nWORKER = ',
  );
}

/** One fault on one host, and what the host looked like before. */
class Scene {
  readonly host: Host;
  readonly before: string;
  private readonly kind: KindCase;
  private wasApplied = false;

  constructor(host: Host, kind: KindCase, before: string) {
    this.host = host;
    this.kind = kind;
    this.before = before;
  }

  inject(changes: Record<string, string> = {}, granted = true) {
    return this.host.inject({ ...this.kind.parameters, ...changes }, granted);
  }

  isThere(): Promise<boolean> {
    return this.kind.isThere(this.host);
  }

  traces(): Promise<string> {
    return this.kind.traces(this.host);
  }

  async apply(changes: Record<string, string> = {}): Promise<void> {
    expect(await this.isThere()).toBe(false);
    expect(await this.inject({ leaseGraceSeconds: String(GRACE_SECONDS), ...changes })).toMatchObject({
      code: 0,
      state: 'APPLIED',
    });
    this.wasApplied = true;
    await until('the fault', TTL_SECONDS, () => this.isThere());
  }

  /** Waits until the world is without the fault, then for the proof: nothing is left, nothing has changed. */
  async isGoneWithin(seconds: number) {
    await until(`the end of ${this.kind.kind}`, seconds + 0.5, async () => !(await this.isThere()));
    const end = await this.host.reverted(20);
    expect(end.leftovers).toEqual([]);
    expect(await this.isThere()).toBe(false);
    expect(await this.traces()).toBe(this.before);
    expect(await workersOf(this.host)).toEqual([]);
    return end;
  }

  /** Whoever decided something would decide it again: of the same state, event and time. */
  async isDecidedAgain(): Promise<void> {
    const { directory } = this.host;
    const { counts, problems } = await replay(join(directory, 'program'), join(directory, 'trace.jsonl'));
    expect(problems).toEqual([]);
    if (!this.wasApplied) return;
    expect(counts.peer).toBeGreaterThan(20);
    expect(counts.reversal).toBeGreaterThan(2);
  }
}

/** Pids of the processes that carry the fault, found by their mark. */
export async function workersOf(host: Host): Promise<string[]> {
  const find = `grep -lz '^HOLDFAST_WORKER=' /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3 | sort -n`;
  return (await host.exec(['bash', '-c', find])).out.split('\n').filter(Boolean);
}
