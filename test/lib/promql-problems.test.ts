import { describe, expect, it } from 'vitest';
import { promQlProblems } from '../../lib/promql-problems.ts';
import { configuration } from '../functions/domain/configuration-fixtures.ts';

const telemetryWith = (change: object) =>
  configuration({ telemetry: { prometheusUrl: 'http://prometheus.example:9090', ...change }, tier: 'staging' });
const lag = {
  kind: 'PROMQL',
  query: 'max(lag)',
  freshness: 'lag',
  control: 'count(lag)',
  limit: 5,
  breachWhen: 'above',
  unit: 's',
};

describe('PromQL of a configuration', () => {
  it('that is PromQL is not complained of', () => {
    expect(promQlProblems(configuration({ guardrails: { lag } }))).toEqual([]);
    const share = 'sum(rate(a{shard="{{shard}}"}[60s])) / sum(rate(a[60s]))';
    expect(promQlProblems(telemetryWith({ trafficShareQuery: share }))).toEqual([]);
  });

  it.each([
    ['guardrails.lag.query', configuration({ guardrails: { lag: { ...lag, query: 'max(lag' } } }), 'position 8'],
    ['guardrails.lag.control', configuration({ guardrails: { lag: { ...lag, control: 'count lag' } } }), 'position 7'],
    ['guardrails.lag.freshness', configuration({ guardrails: { lag: { ...lag, freshness: 'lag{a}' } } }), 'position'],
    ['telemetry.stores', telemetryWith({ stores: 'redis_up{job}' }), 'position 13'],
    ['telemetry.gateways', telemetryWith({ gateways: 'up{job=gateway}' }), 'position 8'],
    ['telemetry.trafficShareQuery', telemetryWith({ trafficShareQuery: 'a{b="{{node}}"} /' }), 'position 18'],
  ])('that is none is named: %s', (field, wrong, where) => {
    const [line, ...others] = promQlProblems(wrong);
    expect(others).toEqual([]);
    expect(line).toContain(`clusters.redis-master.${field}: is no PromQL from ${where}`);
  });
});
