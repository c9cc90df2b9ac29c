import { decodeFromCompressedBase64 } from 'hdr-histogram-js';
import { describe, expect, it } from 'vitest';
import { bytesOf, MAX_ENTRY_BYTES } from '../../../functions/domain/limits.ts';
import { MAX_LATENCY_MS } from '../../../functions/domain/measures.ts';
import { latencyMs, type TimedOperation } from '../../../functions/domain/open-loop.ts';
import { FUNCTION_SECONDS } from '../../../functions/domain/timing.ts';
import { latencyLogs } from '../../../functions/probe/latency-log.ts';
import { EPOCH_MS } from '../domain/fixtures.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';

const NAME = { cluster: 'redis-master', shard: 'shard-1', invocation: 'one' };
const logsOf = (writes: TimedOperation[], reads: TimedOperation[] = [], consumes: TimedOperation[] = []) =>
  latencyLogs(NAME, { writes, reads, consumes }, new SimulatedClock());
/** Another number for each, from 0 to 1, always the same ones. */
const scattered = (index: number) => (index * 0.618_033_988_75) % 1;

describe('the log of latencies', () => {
  it('has a histogram of microseconds a second, by when operations were due, and counts those that failed beside it', () => {
    const writes = Array.from({ length: 60 }, (_, index) => ({
      dueMs: 500 + 50 * index,
      endedMs: 500 + 50 * index + 0.2 + 30 * scattered(index),
      ok: index % 7 !== 3,
    }));
    const [log, ...others] = logsOf(writes);
    expect(others).toEqual([]);
    expect(log).toMatchObject({ ...NAME, operation: 'write', fromSecond: EPOCH_MS / 1000 });
    expect(log?.histograms).toHaveLength(4);
    log?.histograms.forEach((text, second) => {
      const histogram = decodeFromCompressedBase64(text);
      const due = writes.filter(({ dueMs }) => Math.floor(dueMs / 1000) === second);
      const latencies = due.filter(({ ok }) => ok).map((write) => latencyMs(write) * 1000);
      expect(histogram.totalCount).toBe(latencies.length);
      expect(log.failed[second]).toBe(due.length - latencies.length);
      const ascending = latencies.toSorted((a, b) => a - b);
      ascending.forEach((value, index) => {
        const found = histogram.getValueAtPercentile((100 * (index + 0.5)) / ascending.length);
        expect(Math.abs(found - value) / value).toBeLessThan(0.002);
      });
    });
  });

  it('has no histogram for a second in which nothing succeeded, and one of reads beside that of writes', () => {
    const operation = (dueMs: number, ok: boolean) => ({ dueMs, endedMs: dueMs + 0.3, ok });
    const [writes, reads] = logsOf(
      [operation(0, true), operation(1000, false), operation(3000, true)],
      [operation(5000, true)],
    );
    expect(writes?.histograms.map((text) => text !== '')).toEqual([true, false, false, true]);
    expect(writes?.failed).toEqual([0, 1, 0, 0]);
    expect(reads).toMatchObject({ operation: 'read', fromSecond: EPOCH_MS / 1000 + 5, failed: [0] });
    expect(logsOf([])).toEqual([]);
  });

  it('of the longest run that a probe can see fits into one entry, however wide its latencies are scattered', () => {
    const operations = Array.from({ length: 20 * FUNCTION_SECONDS.probe }, (_, index) => ({
      dueMs: 50 * index,
      endedMs: 50 * index + MAX_LATENCY_MS ** scattered(index),
      ok: true,
    }));
    const [log] = logsOf(operations);
    expect(log?.histograms).toHaveLength(FUNCTION_SECONDS.probe);
    expect(bytesOf(log)).toBeLessThan(MAX_ENTRY_BYTES);
    expect(bytesOf(log)).toBeGreaterThan(MAX_ENTRY_BYTES / 4);
  });
});
