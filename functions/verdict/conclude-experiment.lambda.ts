import { loadConfiguration } from '../aws/configuration.ts';
import { auditLog, locks, records } from '../aws/wiring.ts';
import { clusterNamed } from '../domain/clusters.ts';
import type { ExperimentRun, Verdict } from '../domain/workflow.ts';
import { engineOf } from '../engines/registry.ts';
import { metrics } from '../runtime/metrics.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { type ConcludeDependencies, conclude } from './conclude.ts';
import { publishVerdict } from './verdict-metrics.ts';

const { clusters } = loadConfiguration();

const dependencies: ConcludeDependencies = {
  audit: auditLog(),
  locks: locks(),
  records: records(),
  publish: (experiment, verdict, entries) => publishVerdict(metrics, experiment, verdict, entries),
  clusters,
  // One that is no longer configured has none that are known.
  failureModes: (name) => (Object.hasOwn(clusters, name) ? engineOf(clusterNamed(clusters, name)).failureModes : []),
  clock: systemClock,
};

export function handler(run: ExperimentRun): Promise<Verdict> {
  return conclude(run, dependencies);
}
