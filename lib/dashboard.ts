import { Stack } from 'aws-cdk-lib';
import { CfnDashboard } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { guardrailsOf } from '../functions/domain/guardrail-queries.ts';
import {
  GUARD_DIMENSIONS,
  guardrailMetric,
  LEASE_AGE,
  METRICS_NAMESPACE,
  RUN_DIMENSIONS,
  RUN_METRICS,
  SERVICE_NAME,
} from '../functions/domain/metrics.ts';
import { GUARD_HEARTBEAT, heartbeatDimensions } from '../functions/domain/names.ts';
import type { Configuration } from '../functions/engines/configuration.ts';

/** In columns of CloudWatch's grid of 24, and rows. */
const [WIDTH, HEIGHT] = [8, 6];
const DAY_SECONDS = 86_400;

interface Widget {
  title: string;
  metrics: unknown[][];
  stat: 'Maximum' | 'Minimum' | 'Sum';
  periodSeconds: number;
  /** A line at the limit. */
  limit?: { label: string; value: number };
}

/** What one looks at during a run and over many: guardrails, age of the lease, runs by outcome, RTO, rollback time. */
export class Dashboard extends Construct {
  constructor(scope: Construct, id: string, configuration: Configuration) {
    super(scope, id);
    const stack = Stack.of(this);
    const widgets = [...overview(configuration, stack.stackName), ...guardrails(configuration)];
    new CfnDashboard(this, 'Dashboard', {
      dashboardBody: stack.toJsonString({
        widgets: widgets.map((widget, position) => widgetBody(widget, position, stack.region)),
      }),
    });
  }
}

function overview({ clusters, leaseGraceSeconds }: Configuration, stackName: string): Widget[] {
  const names = Object.keys(clusters);
  const day = { periodSeconds: DAY_SECONDS };
  const searches = (metric: string, stat: Widget['stat'], more = '') =>
    names.map((cluster) => search(metric, stat, `cluster="${cluster}"${more}`));
  return [
    {
      title: 'Runs by status and outcome, a day',
      metrics: searches(RUN_METRICS.concluded, 'Sum'),
      stat: 'Sum',
      ...day,
    },
    { title: 'RTO, the longest a day (s)', metrics: searches(RUN_METRICS.rto, 'Maximum'), stat: 'Maximum', ...day },
    {
      title: 'Rollback until every host was clean, the longest a day (s)',
      metrics: searches(RUN_METRICS.rollback, 'Maximum'),
      stat: 'Maximum',
      ...day,
    },
    {
      title: 'Age of the lease when it was renewed (s)',
      metrics: names.map((cluster) => guardMetric(LEASE_AGE, cluster)),
      stat: 'Maximum',
      periodSeconds: 60,
      limit: { label: 'hosts revert', value: leaseGraceSeconds },
    },
    {
      title: 'Heartbeat for faults in FIS',
      metrics: names.map((cluster) => [
        GUARD_HEARTBEAT.namespace,
        GUARD_HEARTBEAT.metricName,
        ...Object.entries(heartbeatDimensions(stackName, cluster)).flat(),
      ]),
      stat: 'Sum',
      periodSeconds: 10,
    },
  ];
}

function guardrails({ clusters }: Configuration): Widget[] {
  return Object.entries(clusters).flatMap(([cluster, configured]) =>
    Object.entries(guardrailsOf(configured)).map(
      ([guardrail, { limit, breachWhen, unit }]): Widget => ({
        title: `${cluster}: ${guardrail} (${unit})`,
        metrics: [guardMetric(guardrailMetric(guardrail), cluster)],
        stat: breachWhen === 'above' ? 'Maximum' : 'Minimum',
        periodSeconds: 10,
        limit: { label: `a breach ${breachWhen}`, value: limit },
      }),
    ),
  );
}

function guardMetric(name: string, cluster: string): string[] {
  const [dimension] = GUARD_DIMENSIONS;
  return [METRICS_NAMESPACE, name, 'service', SERVICE_NAME, dimension, cluster];
}

/** All kinds of faults, and all ends. */
function search(metric: string, stat: Widget['stat'], terms: string): unknown[] {
  const schema = [METRICS_NAMESPACE, 'service', ...RUN_DIMENSIONS].join(',');
  const expression = `SEARCH('{${schema}} MetricName="${metric}" ${terms}', '${stat}', ${DAY_SECONDS})`;
  return [{ expression }];
}

function widgetBody({ title, metrics, stat, periodSeconds, limit }: Widget, position: number, region: string): object {
  const columns = 24 / WIDTH;
  return {
    type: 'metric',
    x: (position % columns) * WIDTH,
    y: Math.floor(position / columns) * HEIGHT,
    width: WIDTH,
    height: HEIGHT,
    properties: {
      ...{ title, region, view: 'timeSeries', metrics, stat, period: periodSeconds },
      ...(limit ? { annotations: { horizontal: [limit] } } : {}),
    },
  };
}
