import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { evaluate } from '../../../functions/domain/guardrails.ts';
import { telemetrySchema } from '../../../functions/domain/telemetry.ts';
import { LOOK_ON_SECONDS } from '../../../functions/domain/timing.ts';
import { observeChecks } from '../../../functions/rollback/observe-checks.ts';
import { watchRollback } from '../../../functions/rollback/watch-rollback.ts';
import { systemClock } from '../../../functions/runtime/system-clock.ts';
import { readChecks } from '../../../functions/telemetry/check-readings.ts';
import { PrometheusClient } from '../../../functions/telemetry/prometheus.ts';
import { readControlledTelemetry, readTelemetry } from '../../../functions/telemetry/snapshot.ts';
import { readTrafficShare } from '../../../functions/telemetry/traffic-share.ts';
import { waitFor } from '../../../lab/shared/wait-for.ts';
import { redisCluster } from '../../functions/domain/configuration-fixtures.ts';
import { seedExperiment } from '../../functions/domain/experiment-fixtures.ts';
import { fullRun, iso } from '../../functions/domain/fixtures.ts';
import { checkOf, hypothesisOf } from '../../functions/domain/hypothesis-fixtures.ts';
import { freePort } from '../../functions/listening.ts';
import { memoryAuditLog } from '../../functions/tables/memory-audit-log.ts';
import { exposedNativeHistogram, exposedText, PROTOBUF } from './exposed-metrics.ts';

/** Gateways on which everything fails and is slow, by the name of their job. */
const TEXTS: Record<string, (requests: number) => string> = {
  code: (requests) => exposedText(requests),
  status: (requests) => exposedText(requests, { statusLabel: 'status' }),
  'low-buckets': (requests) => exposedText(requests, { buckets: ['0.05', '0.2'] }),
  // Well, and silent about what it is not.
  rare: (requests) => exposedText(requests, { status: '200' }),
  'other-shard': (requests) => exposedText(requests, { shard: 'shard-2' }),
};
/** Rather than every second. */
const RARE_SECONDS = 5;

let gateways: Server;
let prometheus: ChildProcess;
let directory: string;
let url: string;
let telemetry: PrometheusClient;

beforeAll(async () => {
  let requests = 0;
  gateways = createServer((request, response) => {
    requests += 1000;
    const job = (request.url ?? '').slice(1);
    if (job === 'native') response.setHeader('content-type', PROTOBUF).end(exposedNativeHistogram(requests));
    else response.end(TEXTS[job]?.(requests));
  });
  gateways.listen(0, '127.0.0.1');
  await once(gateways, 'listening');
  const { port } = gateways.address() as AddressInfo;
  directory = mkdtempSync(join(tmpdir(), 'prometheus-'));
  const jobs = [...Object.keys(TEXTS), 'native'].map((job) => ({
    ...{ job_name: job, metrics_path: `/${job}`, static_configs: [{ targets: [`127.0.0.1:${port}`] }] },
    ...(job === 'rare' ? { scrape_interval: `${RARE_SECONDS}s` } : {}),
  }));
  const file = join(directory, 'prometheus.yml');
  const rules = ['Failing', 'Quiet'].map((alert) => ({
    ...{
      alert,
      expr: `sum(rate(http_requests_total{job="code",code=~"5.."}[5s])) ${alert === 'Failing' ? '>' : '<'} 1`,
    },
  }));
  writeFileSync(join(directory, 'rules.yml'), JSON.stringify({ groups: [{ name: 'gateways', rules }] }));
  const global = { scrape_interval: '1s', evaluation_interval: '1s' };
  writeFileSync(file, JSON.stringify({ global, rule_files: ['rules.yml'], scrape_configs: jobs }));
  const ownPort = await freePort();
  prometheus = spawn(
    'prometheus',
    [
      ...[`--config.file=${file}`, `--storage.tsdb.path=${join(directory, 'data')}`, '--log.level=error'],
      ...[`--web.listen-address=127.0.0.1:${ownPort}`, '--enable-feature=native-histograms'],
    ],
    { stdio: 'ignore' },
  );
  url = `http://127.0.0.1:${ownPort}`;
  telemetry = new PrometheusClient(url, systemClock);
  // By then every job has been scraped for the windows of its guardrails.
  const scraped = `min(count_over_time(up{job!="rare"}[10s])) + 4 * min(count_over_time(up{job="rare"}[10s]) >= bool 2)`;
  await waitFor('Prometheus', 45, async () => {
    const scrapes = await new PrometheusClient(url, systemClock).instant(scraped);
    return scrapes >= 12 ? undefined : `${scrapes} of 12`;
  });
});
afterAll(async () => {
  gateways.closeAllConnections();
  gateways.close();
  if (prometheus.exitCode === null) {
    prometheus.kill();
    await once(prometheus, 'exit');
  }
  rmSync(directory, { recursive: true, force: true });
});

/** A cluster whose series are those of one job. */
function clusterOf(job: string, change: Record<string, unknown> = {}) {
  const of = (metric: string) => `${metric}{job="${job}"}`;
  const facts = telemetrySchema.parse({
    prometheusUrl: url,
    requests: { metric: of('http_requests_total'), ...(change.requests ?? {}) },
    writeDuration: { metric: of('http_write_duration_seconds'), ...(change.writeDuration ?? {}) },
    workers: { free: of('gateway_workers_free'), max: of('gateway_workers_max') },
    gateways: of('up'),
    ...(change.scrapeIntervalSeconds ? { scrapeIntervalSeconds: change.scrapeIntervalSeconds } : {}),
  });
  return redisCluster({ telemetry: facts, ...(change.guardrails ? { guardrails: change.guardrails } : {}) });
}

/** What a start would be told, by guardrail: `passes`, or the reason why not. */
async function judged(cluster: ReturnType<typeof clusterOf>, read = readControlledTelemetry) {
  const baseline = { liveGateways: 1, requestsPerSecond: 1 };
  const readings = evaluate({ name: 'c', cluster }, await read(telemetry, cluster), baseline);
  return Object.fromEntries(readings.map(({ guardrail, reason }) => [guardrail, reason ?? 'passes']));
}

describe('on a real Prometheus, where every request fails and takes 30 s', () => {
  it('breaches what its guardrails can see, and gives every control', async () => {
    expect(await judged(clusterOf('code'))).toEqual({
      errorRatePct: expect.stringMatching(/^(100|99\.9\d*) % is above 0.5 %$/),
      p99WriteLatencyMs: '1000 ms is above 200 ms',
      freeWorkersPct: 'passes',
      liveGateways: 'passes',
      requestRate: 'passes',
    });
  });

  it('refuses a status label that never matches, without which every error would be none', async () => {
    const blind = clusterOf('status');
    expect(await judged(blind, readTelemetry)).toMatchObject({ errorRatePct: 'passes' });
    expect((await judged(blind)).errorRatePct).toMatch(
      /could never be beyond its limit: the share of http_requests_total.* whose label code is a status .* is 0 %, it must be at least 99.9 %/,
    );
    const seeing = clusterOf('status', { requests: { statusLabel: 'status' } });
    expect(await judged(seeing)).toMatchObject({
      errorRatePct: expect.stringMatching(/^(100|99\.9\d*) % is above 0.5 %$/),
    });
  });

  it('refuses a histogram whose last finite bucket is its limit, which no quantile exceeds', async () => {
    const blind = clusterOf('low-buckets');
    expect(await judged(blind, readTelemetry)).toMatchObject({ p99WriteLatencyMs: 'passes' });
    expect((await judged(blind)).p99WriteLatencyMs).toMatch(
      /the highest finite bucket of http_write_duration_seconds.* is 200 ms, it must be more than 200 ms/,
    );
    const seeing = clusterOf('low-buckets', {
      guardrails: { p99WriteLatencyMs: { kind: 'WRITE_LATENCY', limit: 150 } },
    });
    expect(await judged(seeing)).toMatchObject({ p99WriteLatencyMs: '200 ms is above 150 ms' });
  });

  it('reads a native histogram, whose quantile no bucket holds back', async () => {
    const { p99WriteLatencyMs = '' } = await judged(clusterOf('native', { writeDuration: { histogram: 'native' } }));
    expect(p99WriteLatencyMs).toMatch(/^[\d.]+ ms is above 200 ms$/);
    expect(Number.parseFloat(p99WriteLatencyMs)).toBeGreaterThan(16_000);
    const classic = clusterOf('code', { writeDuration: { histogram: 'native' } });
    expect((await judged(classic)).p99WriteLatencyMs).toMatch(/writes a second in the native histogram .* no series/);
  });

  it('refuses a source that is scraped more rarely than it is said to be, and takes it as it is', async () => {
    const { freeWorkersPct } = await judged(clusterOf('rare'));
    expect(freeWorkersPct).toMatch(
      /scrapes of gateway_workers_free.* in 10 s .*is 2 scrapes, it must be at least 5 scrapes/,
    );
    expect((await judged(clusterOf('rare', { scrapeIntervalSeconds: RARE_SECONDS }))).liveGateways).toBe('passes');
  });

  it('takes PromQL with its own control, and refuses it when that is not more than 0', async () => {
    const raw = {
      kind: 'PROMQL',
      query: 'sum(up{job="code"})',
      // Not of all jobs: one of them is scraped more rarely, and its age is no part of this.
      freshness: 'up{job="code"}',
      limit: 0,
      breachWhen: 'below',
      unit: '',
    };
    const with_ = (control: string) => judged(clusterOf('code', { guardrails: { raw: { ...raw, control } } }));
    expect(await with_('count(up{job="code"})')).toMatchObject({ raw: 'passes' });
    expect((await with_('count(up{job="gone"}) or vector(0)')).raw).toMatch(
      /its control is 0, it must be more than 0$/,
    );
  });

  it('counts the traffic of a shard that has no series as unknown, not as none', async () => {
    const cluster = clusterOf('code');
    expect(await readTrafficShare(telemetry, cluster, { shards: ['shard-1'], nodes: [] })).toBe(1);
    await expect(readTrafficShare(telemetry, cluster, { shards: ['shard-1', 'shard-2'], nodes: [] })).rejects.toThrow(
      /share of traffic of shard-2: the query gives no series/,
    );
  });

  it('says after a rollback which guardrails were crossed, and that it saw every second', async () => {
    const stoppedMs = Date.now() - 4_000;
    // A log whose guard stopped then.
    const entries = fullRun({ ROLLBACK_WATCHED: undefined }).map((entry) => ({
      ...entry,
      at: new Date(Date.parse(entry.at) + stoppedMs - Date.parse(iso(63))).toISOString(),
    }));
    const audit = { ...memoryAuditLog(), read: async () => entries };
    const cluster = { name: 'redis-master', cluster: clusterOf('code'), telemetry };
    await watchRollback('exp', [cluster], { audit, clock: systemClock });
    const [watch] = audit.detailsOf('ROLLBACK_WATCHED');
    expect(watch?.unseen).toEqual([]);
    expect(watch?.breaches.map(({ guardrail }) => guardrail)).toEqual(
      expect.arrayContaining(['errorRatePct', 'p99WriteLatencyMs']),
    );
    expect(watch?.breaches.map(({ guardrail }) => guardrail)).not.toContain('freeWorkersPct');
  });

  it('has the checks of a hypothesis: those that hold, an alert that fires, and what could never be out', async () => {
    const up = { kind: 'PROMQL' as const, query: 'sum(up{job="code"})', freshness: 'up{job="code"}' };
    const alert = (name: string) => ({
      ...{ name, measure: { kind: 'ALERT' as const, alert: name } },
      tolerance: { atLeast: 1, unit: 'alerts' },
    });
    const checks = [
      checkOf({ name: 'up', measure: { ...up, control: 'count(up)' }, tolerance: { atLeast: 1, unit: '' } }),
      checkOf({ name: 'many up', measure: { ...up, control: 'count(up)' }, tolerance: { atLeast: 2, unit: '' } }),
      checkOf({ name: 'not there', measure: { ...up, control: 'count(gone)' } }),
      checkOf(alert('Failing')),
      checkOf(alert('Quiet')),
      checkOf(alert('Nowhere')),
    ];
    const named = { name: 'redis-master', cluster: clusterOf('code') };
    await waitFor('a baseline', 20, async () => {
      const samples = await telemetry.range('sum(up{job="code"})', 20).catch(() => []);
      return samples.length > 16 ? undefined : `${samples.length} samples`;
    });
    const read = await readChecks(telemetry, named, { ...hypothesisOf(...checks), baselineSeconds: 15 }, systemClock);
    expect(read.map(({ check, value, held }) => [check, value, held])).toEqual([
      ['up', 1, true],
      ['many up', 1, false],
      ['not there', undefined, false],
      ['Failing', expect.any(Number), expect.any(Boolean)],
      ['Quiet', 0, false],
      ['Nowhere', undefined, false],
    ]);
    expect(read[5]?.reason).toContain('no alerting rule Nowhere');

    // The same read back: the alert has fired for the past seconds, and what is not there is unknown.
    const entries = fullRun({
      ADMITTED: { experiment: { ...seedExperiment(), hypothesis: hypothesisOf(...checks) } },
    }).map((entry) => ({
      ...entry,
      at: new Date(Date.parse(entry.at) + Date.now() - Date.parse(iso(5))).toISOString(),
    }));
    const audit = { ...memoryAuditLog(), read: async () => entries };
    await observeChecks('exp', [{ ...named, telemetry }], { audit, clock: systemClock });
    const [observed] = audit.detailsOf('CHECKS_OBSERVED');
    const last = observed?.series.map(({ check, values }) => [check, values.at(-1)]);
    expect(last).toEqual([
      ['up', 1],
      ['many up', 1],
      ['not there', 1],
      ['Failing', 1],
      ['Quiet', 0],
      ['Nowhere', undefined],
    ]);
    for (const { check, values, gapSeconds = 1 } of observed?.series ?? []) {
      if (check === 'Nowhere') continue;
      expect(values.length).toBeGreaterThan(LOOK_ON_SECONDS);
      const sampled = values.flatMap((value, index) => (value === null ? [] : [index]));
      const gaps = sampled.map((index, position) => index - (sampled[position - 1] ?? index));
      expect(Math.max(...gaps), check).toBeLessThanOrEqual(gapSeconds);
    }
  });

  it('says afterwards what a reading was at each second', async () => {
    const nowMs = Date.now();
    const up = { query: 'sum(up{job="code"})', freshness: 'up{job="code"}' };
    const history = [...(await telemetry.history(up, nowMs - 4_000, nowMs)).values()];
    expect(history).toHaveLength(5);
    for (const { value, ageSeconds } of history) {
      expect(value).toBe(1);
      expect(ageSeconds).toBeLessThan(3);
    }
    const gone = await telemetry.history({ query: 'sum(gone)', freshness: 'gone' }, nowMs - 2_000, nowMs);
    expect([...gone.values()]).toEqual([{}, {}, {}]);
  });
});
