import { Metrics } from '@aws-lambda-powertools/metrics';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { METRICS_NAMESPACE, SERVICE_NAME } from '../../functions/domain/metrics.ts';
import { GUARD_HEARTBEAT, heartbeatDimensions } from '../../functions/domain/names.ts';
import { publishReadings } from '../../functions/guard/guard-metrics.ts';
import { publishVerdict } from '../../functions/verdict/verdict-metrics.ts';
import { loadConfiguration } from '../../lib/load-configuration.ts';
import { seedExperiment } from '../functions/domain/experiment-fixtures.ts';
import { detailsOf, logOf, reading } from '../functions/domain/fixtures.ts';
import { ofType, stack } from './synthesized.ts';

interface Widget {
  properties: { title: string; metrics: unknown[][]; annotations?: { horizontal: { value: number }[] } };
}

const { configuration } = await loadConfiguration('lab/holdfast.config.ts');
const bodies = ofType('AWS::CloudWatch::Dashboard').map(([, { Properties }]) => Properties.DashboardBody);
const body = JSON.stringify(bodies);
/** The region is the only part that CloudFormation fills in. */
const joined = (bodies as { 'Fn::Join': [string, unknown[]] }[]).flatMap((one) => one['Fn::Join'][1]);
const { widgets }: { widgets: Widget[] } = JSON.parse(
  joined.map((part) => (typeof part === 'string' ? part : 'eu-west-1')).join(''),
);

/** Namespace, dimensions and name, as CloudWatch knows a metric. */
const known = (namespace: string, dimensions: readonly string[], name: string) =>
  [namespace, ...[...dimensions].sort(), name].join(' ');

/** What the functions write into their logs, for CloudWatch to make metrics of. */
function emitted(): Set<string> {
  const lines: string[] = [];
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line));
  // Else the library writes past the console.
  vi.stubEnv('POWERTOOLS_DEV', 'true');
  vi.stubEnv('POWERTOOLS_METRICS_DISABLED', 'false');
  const metrics = new Metrics({ namespace: METRICS_NAMESPACE, serviceName: SERVICE_NAME });
  const guardrails = Object.values(configuration.clusters).flatMap(({ guardrails: each }) => Object.keys(each));
  publishReadings(
    metrics,
    guardrails.map((name) => reading(name)),
    1,
  );
  const budget = { cluster: 'redis-master', name: 'rtoSeconds', limit: 15, measured: 4, met: true } as const;
  const log = logOf('exp', ['ROLLING_BACK'], ['ROLLED_BACK']);
  publishVerdict(metrics, seedExperiment(), { ...detailsOf('CONCLUDED'), budgets: [budget] }, log);
  const sets = lines.flatMap((line) => {
    const [directive] = JSON.parse(line)._aws.CloudWatchMetrics;
    return directive.Metrics.map(({ Name }: { Name: string }) =>
      known(directive.Namespace, directive.Dimensions[0], Name),
    );
  });
  const heartbeat = Object.keys(heartbeatDimensions(stack.stackName, 'redis-master'));
  return new Set([...sets, known(GUARD_HEARTBEAT.namespace, heartbeat, GUARD_HEARTBEAT.metricName)]);
}

/** What a widget asks for, one a line. */
function shown({ properties }: Widget): string[] {
  return properties.metrics.map((metric) => {
    const [first, name, ...dimensions] = metric;
    if (typeof first === 'string')
      return known(first, dimensions.filter((_, at) => at % 2 === 0).map(String), String(name));
    const { expression } = first as { expression: string };
    const found = /^SEARCH\('\{([^}]+)\} MetricName="([^"]+)" cluster="([^"]+)"', '(?:Sum|Maximum)', \d+\)$/.exec(
      expression,
    );
    const [namespace = '', ...schema] = found?.[1]?.split(',') ?? [];
    return known(namespace, schema, found?.[2] ?? expression);
  });
}

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

describe('the dashboard', () => {
  it('shows only what the functions write: a name that drifts would be a widget that is empty for ever', () => {
    const written = emitted();
    const asked = widgets.flatMap(shown);
    expect(asked.length).toBeGreaterThan(15);
    expect(asked.filter((metric) => !written.has(metric))).toEqual([]);
  });

  it('shows every cluster its guardrails with their limits, and the age of its lease beside the grace', () => {
    for (const [cluster, { guardrails }] of Object.entries(configuration.clusters)) {
      for (const [name, { limit }] of Object.entries(guardrails)) {
        const widget = widgets.find(({ properties }) => properties.title.startsWith(`${cluster}: ${name} `));
        expect(widget?.properties.annotations?.horizontal[0]?.value, `${cluster} ${name}`).toBe(limit);
      }
    }
    const lease = widgets.find(({ properties }) => properties.title.startsWith('Age of the lease'));
    expect(lease?.properties.annotations?.horizontal[0]?.value).toBe(configuration.leaseGraceSeconds);
    expect(lease?.properties.metrics).toHaveLength(Object.keys(configuration.clusters).length);
    expect(body).toContain('rollbackSeconds');
  });
});
