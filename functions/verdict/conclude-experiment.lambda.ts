import { Metrics } from '@aws-lambda-powertools/metrics';
import { loadConfiguration } from '../aws/configuration.ts';
import { auditLog, locks, records } from '../aws/wiring.ts';
import type { ExperimentRun, Verdict } from '../domain/workflow.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { type ConcludeDependencies, conclude } from './conclude.ts';
import { publishVerdict } from './verdict-metrics.ts';

const metrics = new Metrics({ namespace: 'Holdfast', serviceName: 'holdfast' });

const dependencies: ConcludeDependencies = {
  audit: auditLog(),
  locks: locks(),
  records: records(),
  publish: (experiment, verdict) => publishVerdict(metrics, experiment, verdict),
  clusters: loadConfiguration().clusters,
  clock: systemClock,
};

export function handler(run: ExperimentRun): Promise<Verdict> {
  return conclude(run, dependencies);
}
