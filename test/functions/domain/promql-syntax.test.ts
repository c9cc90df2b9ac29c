import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { guardrailsOf, trafficSourcesOf } from '../../../functions/domain/guardrail-queries.ts';
import { syntaxProblem } from '../../../functions/domain/promql-syntax.ts';
import { redisCluster } from './configuration-fixtures.ts';

const GOOD = [
  'up',
  'sum by (shard) (rate(http_requests_total{code=~"5.."}[5s])) > 0',
  '100 * (sum(rate(a[5s])) or vector(0)) / clamp_min(sum(rate(a[5s])), 0.001)',
  'max_over_time(rate(x[5m])[1h:1m] offset 5m) # a comment',
  '{__name__="a"} @ end()',
  'histogram_quantile(0.99, sum by (le) (rate(a_bucket{le!="+Inf", b=\'c\'}[1m30s])))',
];

describe('PromQL', () => {
  it('is what Prometheus takes for it, and so is every query of ours', () => {
    const cluster = redisCluster();
    const guardrails = Object.values(guardrailsOf(cluster));
    const ours = [...guardrails, ...Object.values(trafficSourcesOf(cluster))].map(({ query }) => query);
    const controls = guardrails.flatMap((guardrail) => guardrail.controls.map(({ query }) => query));
    for (const query of [...GOOD, ...ours, ...controls]) expect(syntaxProblem(query), query).toBeUndefined();
  });

  it.each([
    ['sum(rate(a[5s])', /^is no PromQL from position 16 on: it ends too early$/],
    ['sum(a))', /^is no PromQL from position 7 on: read \)$/],
    ['max(lag_seconds) > > 5', /^is no PromQL from position 20 on: read >$/],
    ['a{b=c}', /position 5 on: read c/],
    ['rate(a[five])', /position 8 on: read five/],
    ['select 1', /position 8 on: read 1/],
    ['  ', /position 3 on: it ends too early$/],
  ])('%s is none, from where and with what was read there', (text, problem) => {
    expect(syntaxProblem(text)).toMatch(problem);
  });

  it('is not any more without one of its brackets or quotes', () => {
    const pairs = fc.constantFrom(...GOOD.filter((query) => !query.includes('#'))).chain((query) => {
      const places = [...query].flatMap((character, index) => ('()[]{}"'.includes(character) ? [index] : []));
      return fc.record({ query: fc.constant(query), at: fc.constantFrom(...(places.length > 0 ? places : [-1])) });
    });
    fc.assert(
      fc.property(pairs, ({ query, at }) => {
        fc.pre(at >= 0);
        expect(syntaxProblem(query.slice(0, at) + query.slice(at + 1))).toBeDefined();
      }),
    );
  });
});
