import { Metrics } from '@aws-lambda-powertools/metrics';
import { METRICS_NAMESPACE, SERVICE_NAME } from '../domain/metrics.ts';

/** Metrics as lines of the log, from which CloudWatch makes them: no call, and nothing that could fail. */
export const metrics = new Metrics({ namespace: METRICS_NAMESPACE, serviceName: SERVICE_NAME });

/** The part of the library that is used. */
export type MetricSink = Pick<Metrics, 'addDimensions' | 'addMetric' | 'publishStoredMetrics'>;
