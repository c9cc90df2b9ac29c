import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ruleGroupsOf, SECOND_LINE_ERROR_PCT } from '../../../functions/domain/alert-rules.ts';
import { guardrailsOf } from '../../../functions/domain/guardrail-queries.ts';
import { configuration, redisCluster } from './configuration-fixtures.ts';

const rulesOf = (change: Record<string, unknown> = {}) =>
  ruleGroupsOf({ 'redis-master': redisCluster(change) }).flatMap(({ rules }) => rules);
const ruleOf = (guardrail: string, change: Record<string, unknown> = {}) => {
  const found = rulesOf(change).find(({ labels }) => labels.guardrail === guardrail);
  if (!found) throw new Error(`no rule of ${guardrail}`);
  return found;
};
const errorRate = (limit: number) => ({ guardrails: { errorRatePct: { kind: 'ERROR_RATE', limit } } });
const ownGuardrail = (change: Record<string, unknown> = {}) => ({
  guardrails: {
    lag: {
      ...{ kind: 'PROMQL', query: 'max(lag) # of all', freshness: 'lag', control: 'count(lag)', limit: 5, unit: 's' },
      ...{ breachWhen: 'above', ...change },
    },
  },
});

describe('alerting rules', () => {
  it('are the guardrails, on the very queries that the guard asks', () => {
    const guardrails = guardrailsOf(redisCluster());
    expect(rulesOf().map(({ labels }) => labels.guardrail)).toEqual(Object.keys(guardrails));
    for (const [name, { query }] of Object.entries(guardrails)) expect(ruleOf(name).expr).toContain(`\n${query}\n`);
  });

  it('leave errors to the guard up to 1 %, and never alert before it would abort', () => {
    expect(ruleOf('errorRatePct').expr).toMatch(/ > 1$/);
    expect(ruleOf('errorRatePct', errorRate(0.1)).expr).toMatch(/ > 1$/);
    expect(ruleOf('errorRatePct', errorRate(3)).expr).toMatch(/ > 3$/);
    expect(SECOND_LINE_ERROR_PCT).toBe(1);
  });

  it('have every other limit as it is configured, on its own side', () => {
    expect(ruleOf('p99WriteLatencyMs').expr).toMatch(/^max_over_time\([\s\S]*\) > 200$/);
    expect(ruleOf('freeWorkersPct').expr).toMatch(/^min_over_time\([\s\S]*\) < 15$/);
    expect(ruleOf('lag', ownGuardrail({ breachWhen: 'below', limit: -1.5 })).expr).toMatch(
      /^min_over_time[\s\S]* < -1.5$/,
    );
  });

  it('look at all that was since the evaluation before, and at what came late to it, in steps of a scrape', () => {
    expect(ruleOf('freeWorkersPct').expr).toContain(')[41s:1s]');
    const telemetry = { prometheusUrl: 'http://prometheus.example', scrapeIntervalSeconds: 15 };
    expect(ruleOf('freeWorkersPct', { telemetry }).expr).toContain(')[55s:15s]');
    expect(new Set(ruleGroupsOf(configuration().clusters).map(({ interval }) => interval))).toEqual(new Set(['30s']));
  });

  it('alert of stores only where their series are named, and only of more than the blast radius allows', () => {
    expect(rulesOf().some(({ labels }) => labels.guardrail === 'storesDownPct')).toBe(false);
    const telemetry = { prometheusUrl: 'http://prometheus.example', stores: 'redis_up{job="redis"}' };
    const { expr } = ruleOf('storesDownPct', { telemetry, tier: 'staging', blastRadius: { maxNodesPct: 34 } });
    expect(expr).toContain('count(redis_up{job="redis"} == 0)');
    expect(expr).toMatch(/ > 34$/);
  });

  it('carry the cluster, a severity and the number', () => {
    expect(ruleOf('p99WriteLatencyMs')).toMatchObject({
      alert: 'HoldfastP99WriteLatencyMs',
      labels: { cluster: 'redis-master', severity: 'CRITICAL' },
      annotations: { summary: 'p99WriteLatencyMs is {{ printf "%.4g" $value }} ms, above 200 ms' },
    });
  });

  it('take no text of the configuration for a template', () => {
    const { summary } = ruleOf('lag', ownGuardrail({ unit: '{{ $labels }} "s"' })).annotations;
    expect(summary).toContain('{{ "{{ $labels }} \\"s\\", above 5 {{ $labels }} \\"s\\"" }}');
  });

  it('stand in groups that AMP takes, each guardrail once, whatever there is', () => {
    const guardrail = ownGuardrail().guardrails.lag;
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 50 }), (names) => {
        const own = names.filter((name) => name !== '__proto__');
        const guardrails = Object.fromEntries(own.map((name) => [name, guardrail]));
        const clusters = configuration({ guardrails }, { other: {} }).clusters;
        const groups = ruleGroupsOf(clusters);
        expect(Math.max(...groups.map(({ rules }) => rules.length))).toBeLessThanOrEqual(20);
        expect(new Set(groups.map(({ name }) => name)).size).toBe(groups.length);
        const rules = groups.flatMap((group) => group.rules).filter(({ labels }) => labels.cluster === 'redis-master');
        expect(rules).toHaveLength(Object.keys(clusters['redis-master']?.guardrails ?? {}).length);
        for (const { alert } of rules) expect(alert).toMatch(/^Holdfast\w+$/);
      }),
    );
  });
});
