import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ruleGroupsOf } from '../../../functions/domain/alert-rules.ts';
import { configuration } from '../../functions/domain/configuration-fixtures.ts';

const run = promisify(execFile);
let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'alert-rules-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const CLUSTER = {
  telemetry: { prometheusUrl: 'http://prometheus.example', stores: 'store_up' },
  tier: 'staging',
  blastRadius: { maxNodesPct: 34 },
  guardrails: {
    lagSeconds: {
      ...{
        kind: 'PROMQL',
        query: 'max(lag_seconds) # the worst',
        freshness: 'lag_seconds',
        control: 'count(lag_seconds)',
      },
      ...{ limit: 5, breachWhen: 'above', unit: '{{ s }}' },
    },
  },
};

/** A second of traffic after the other; one sample a second. */
const rate = (perSecond: number, seconds: number) => `0+${perSecond}x${seconds}`;
/** Healthy, but for what a test replaces. */
const SERIES = {
  'http_requests_total{code="200"}': rate(1000, 120),
  'http_requests_total{code="503"}': rate(0, 120),
  'http_write_duration_seconds_bucket{le="0.2"}': rate(500, 120),
  'http_write_duration_seconds_bucket{le="0.5"}': rate(500, 120),
  'http_write_duration_seconds_bucket{le="+Inf"}': rate(500, 120),
  'gateway_workers_free{gateway="1"}': '60x120',
  'gateway_workers_max{gateway="1"}': '64x120',
  'store_up{node="1"}': '1x120',
  'store_up{node="2"}': '1x120',
  'store_up{node="3"}': '1x120',
  lag_seconds: '1x120',
};

/** What fires at each evaluation, 30 s apart, by the real Prometheus's own test runner. @throws Error that names the difference */
async function expectAlerts(
  change: Record<string, string>,
  expected: Record<string, string | undefined>,
): Promise<void> {
  const rules = ruleGroupsOf(configuration(CLUSTER).clusters).flatMap((group) => group.rules);
  const test = {
    rule_files: ['rules.yml'],
    evaluation_interval: '30s',
    tests: [
      {
        interval: '1s',
        input_series: Object.entries({ ...SERIES, ...change }).map(([series, values]) => ({ series, values })),
        alert_rule_test: rules.map(({ alert, labels }) => ({
          eval_time: '60s',
          alertname: alert,
          exp_alerts:
            expected[alert] === undefined
              ? []
              : [{ exp_labels: labels, exp_annotations: { summary: expected[alert] } }],
        })),
      },
    ],
  };
  writeFileSync(
    join(directory, 'rules.yml'),
    JSON.stringify({ groups: ruleGroupsOf(configuration(CLUSTER).clusters) }),
  );
  writeFileSync(join(directory, 'test.yml'), JSON.stringify(test));
  await run('promtool', ['test', 'rules', join(directory, 'test.yml')]).catch(
    ({ stdout, stderr }: Error & { stdout: string; stderr: string }) => {
      throw new Error(`${stdout}${stderr}`);
    },
  );
}

describe('the alerting rules, evaluated by Prometheus', () => {
  it('are silent while all is well', async () => {
    await expectAlerts({}, {});
    await expect(expectAlerts({}, { HoldfastLagSeconds: 'x' })).rejects.toThrow(/HoldfastLagSeconds/);
  });

  it('leave 0.9 % of errors to the guard, and alert of more than 1 %', async () => {
    await expectAlerts({ 'http_requests_total{code="503"}': rate(9, 120) }, {});
    await expectAlerts(
      { 'http_requests_total{code="503"}': rate(20, 120) },
      { HoldfastErrorRatePct: 'errorRatePct is 1.961 %, above 1 %' },
    );
  });

  it('see errors that came and went between two evaluations', async () => {
    // Six seconds, over for eighteen when the rules are evaluated.
    const burst = `0x36 50+50x5 300x78`;
    await expectAlerts(
      { 'http_requests_total{code="503"}': burst },
      { HoldfastErrorRatePct: 'errorRatePct is 4.762 %, above 1 %' },
    );
  });

  it('see what was there for a single scrape and came too late for the evaluation before', async () => {
    // At second 21 to 29, as remote write may bring it after the evaluation at 30: that at 60 must see it.
    for (const second of [21, 25, 29]) {
      const once = { lag_seconds: `1x${second - 1} 7 1x${119 - second}` };
      await expectAlerts(once, { HoldfastLagSeconds: 'lagSeconds is 7 {{ s }}, above 5 {{ s }}' });
    }
  });

  it('forget what is longer ago than samples may come late', async () => {
    await expectAlerts({ lag_seconds: '1x17 7 1x101' }, {});
  });

  it('alert of writes that are slow, of workers that are gone, and of a guardrail of one’s own', async () => {
    await expectAlerts(
      { 'http_write_duration_seconds_bucket{le="0.2"}': rate(450, 120) },
      { HoldfastP99WriteLatencyMs: 'p99WriteLatencyMs is 470 ms, above 200 ms' },
    );
    await expectAlerts(
      { 'gateway_workers_free{gateway="1"}': '8x120' },
      { HoldfastFreeWorkersPct: 'freeWorkersPct is 12.5 %, below 15 %' },
    );
    await expectAlerts({ lag_seconds: '7x120' }, { HoldfastLagSeconds: 'lagSeconds is 7 {{ s }}, above 5 {{ s }}' });
  });

  it('alert of stores when more are down than a fault may take', async () => {
    await expectAlerts({ 'store_up{node="1"}': '0x120' }, {});
    await expectAlerts(
      { 'store_up{node="1"}': '0x120', 'store_up{node="2"}': '0x120' },
      { HoldfastStoresDownPct: 'storesDownPct is 66.67 % of the stores, above 34 % of the stores' },
    );
  });
});
