import { describe, expect, it } from 'vitest';
import type { RecordAccount } from '../../../functions/domain/record-account.ts';
import type { LogProbe } from '../../../functions/engines/engine.ts';
import { probe } from '../../../functions/probe/probe.ts';
import { seedExperiment } from '../domain/experiment-fixtures.ts';
import { type Given, iso, logOf } from '../domain/fixtures.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';
import { memoryAuditLog } from '../tables/memory-audit-log.ts';

const FAULT_AT_MS = 3000;
const ENDS_AT_MS = 9000;
const NONE: RecordAccount = {
  ...{ acknowledged: 200, lost: 0, duplicated: 0, reordered: 0, repeatedOffsets: 0 },
  examples: { lost: [], duplicated: [], reordered: [], repeatedOffsets: [] },
};

interface Scenario {
  account?: () => Promise<RecordAccount>;
  /** How long a record takes that is written then; undefined: it is never consumed. */
  lagMs?: (atMs: number) => number | undefined;
  fails?: (atMs: number) => boolean;
}

/** A log that acknowledges at once and says later what was consumed. */
async function measure({ account = async () => NONE, lagMs = () => 5, fails = () => false }: Scenario) {
  const clock = new SimulatedClock();
  const audit = memoryAuditLog({ clock });
  let tell = (_key: string) => {};
  const consumed = new Map<string, string>();
  const store: LogProbe = {
    shard: 'shard-1',
    connect: async () => {},
    follow: (told) => {
      tell = told;
    },
    async write(key, value) {
      const [lag, failed] = [lagMs(clock.monotonicMs()), fails(clock.monotonicMs())];
      if (lag !== undefined) {
        void clock.sleep(lag).then(() => {
          consumed.set(key, value);
          tell(key);
        });
      }
      return !failed;
    },
    async read(key) {
      const untilMs = clock.monotonicMs() + 1000;
      while (!consumed.has(key) && clock.monotonicMs() < untilMs) await clock.sleep(5);
      return consumed.get(key);
    },
    isOnImpacted: async () => true,
    leader: async () => 'redis-node-3',
    health: async () => ({}),
    copiesMeasure: 'inSyncFollowers',
    listen: () => {},
    account,
    close: () => {},
  };
  const fault: Given[] = [
    ['INJECTING', {}, FAULT_AT_MS / 1000],
    ['INJECTED', { injectedAt: iso(FAULT_AT_MS / 1000), nodes: [] }, FAULT_AT_MS / 1000],
  ];
  const read = async () =>
    logOf(
      'exp',
      ['ADMITTED', { experiment: seedExperiment('exp') }, 0],
      ...(clock.monotonicMs() >= FAULT_AT_MS ? fault : []),
      ...(clock.monotonicMs() >= ENDS_AT_MS ? ([['RECOVERY_VERIFIED']] as Given[]) : []),
    );
  await probe('exp', [{ cluster: 'redis-master', store }], {
    ...{ audit: { ...audit, read }, clock, remainingMs: () => 900_000, invocation: 'one' },
    readTelemetry: async () => undefined,
  });
  const [measured] = audit.detailsOf('PROBE_MEASURED');
  const consumes = audit.detailsOf('LATENCY_RECORDED').find(({ operation }) => operation === 'consume');
  return { measured, consumes };
}

describe('the probe of a log', () => {
  it('takes the word of its account, which counts late acknowledgements too, and shows its examples', async () => {
    const lost = [{ key: 'k7', offset: 7, acknowledgedAt: iso(7) }];
    const account = { ...NONE, lost: 1, lossSpanSeconds: 0, duplicated: 2, examples: { ...NONE.examples, lost } };
    const { measured } = await measure({ account: async () => account });
    const { acknowledged: _, lost: __, ...records } = account;
    expect(measured).toMatchObject({ acknowledgedWrites: 200, lostAcknowledgedWrites: 1, records, problems: [] });
  });

  it('asks again for an account that failed, and never reports zero of what it could not read', async () => {
    let asked = 0;
    const second = await measure({
      account: () => (++asked < 3 ? Promise.reject(new Error('no leader')) : Promise.resolve(NONE)),
    });
    expect(second.measured).toMatchObject({ lostAcknowledgedWrites: 0, problems: [] });
    const { measured } = await measure({ account: () => Promise.reject(new Error('no leader')) });
    expect(measured).toMatchObject({ problems: ['no leader'] });
    expect(measured).not.toHaveProperty('lostAcknowledgedWrites');
    expect(measured).not.toHaveProperty('records');
  });

  it('says that repeated offsets are the fault of the client, and claims no loss and no lack of it', async () => {
    const repeatedOffsets = [{ key: 'k7', offset: 7, acknowledgedAt: iso(7) }];
    const { lost: _, ...unknown } = NONE;
    const account = { ...unknown, repeatedOffsets: 4, examples: { ...NONE.examples, repeatedOffsets } };
    const { measured } = await measure({ account: async () => account });
    expect(measured?.problems).toEqual([
      expect.stringMatching(/^the client library acknowledged 4 .* k7 at 7: its fault/),
    ]);
    expect(measured).not.toHaveProperty('lostAcknowledgedWrites');
  });

  it('counts the lag of a consumer from when the record was due to be written, however late it is consumed', async () => {
    const { measured, consumes } = await measure({ lagMs: (atMs) => (atMs >= 5000 && atMs < 6000 ? 2500 : 5) });
    expect(measured?.latency?.consumerLagMs).toMatchObject({ p50: 5, max: 2500, failed: 0 });
    expect(measured?.failedWrites).toBe(20);
    expect(consumes?.failed.every((failed) => failed === 0)).toBe(true);
  });

  it('counts a record that is never consumed, or whose write failed, as the longest lag there is', async () => {
    const silent = await measure({ lagMs: (atMs) => (atMs >= 5000 && atMs < 6000 ? undefined : 5) });
    expect(silent.measured?.latency?.consumerLagMs).toMatchObject({ max: 60_000, failed: 20 });
    const failing = await measure({
      ...{ fails: (atMs) => atMs >= 5000 && atMs < 6000 },
      lagMs: (atMs) => (atMs >= 5000 && atMs < 6000 ? undefined : 5),
    });
    expect(failing.measured?.latency?.consumerLagMs).toMatchObject({ max: 60_000, failed: 20 });
  });

  it('knows the lag of a record whose write had failed when it is consumed after all', async () => {
    const { measured } = await measure({ fails: (atMs) => atMs >= 5000 && atMs < 6000, lagMs: () => 40 });
    expect(measured).toMatchObject({ failedWrites: 20, latency: { consumerLagMs: { max: 40, failed: 0 } } });
  });
});
