import type { Context } from 'aws-lambda';
import { cloudWatchClient } from '../aws/clients.ts';
import { openCluster } from '../aws/cluster-access.ts';
import { loadConfiguration } from '../aws/configuration.ts';
import { telemetryOpener } from '../aws/open-telemetry.ts';
import { auditLog, guardLeases, killSwitches, locks } from '../aws/wiring.ts';
import { requireAdmittedTargets } from '../domain/admitted.ts';
import { lastOf } from '../domain/audit-entry.ts';
import { configuredClusters } from '../domain/clusters.ts';
import { isFisFaultKind } from '../domain/faults/catalogue.ts';
import type { KillSwitchSettings } from '../domain/kill-switch.ts';
import { ENVIRONMENT } from '../domain/names.ts';
import { nodesHitAtStart } from '../domain/probed-shards.ts';
import { withDeadline } from '../domain/with-deadline.ts';
import type { ExperimentRun } from '../domain/workflow.ts';
import type { Configuration } from '../engines/configuration.ts';
import { environmentVariable } from '../runtime/environment.ts';
import { log } from '../runtime/log.ts';
import { metrics } from '../runtime/metrics.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { engageSwitch } from '../tables/engage-switch.ts';
import { BystanderWatch } from './bystander-watch.ts';
import { gateRule } from './gate-rule.ts';
import { guard } from './guard.ts';
import { publishReadings } from './guard-metrics.ts';
import { guardHeartbeat } from './heartbeat.ts';
import { openGate } from './store-gate.ts';

const audit = auditLog();
const leases = guardLeases();
const stackName = environmentVariable(ENVIRONMENT.stackName);

export async function handler(run: ExperimentRun, context: Context): Promise<void> {
  const { experimentId, experiment } = run;
  const entries = await audit.read(experimentId);
  const targets = requireAdmittedTargets(entries, run);
  // By the log: who could choose what is normal could choose what is a breach.
  const baselines = lastOf(entries, 'STEADY_STATE_CONFIRMED')?.baselines;
  const configuration = loadConfiguration();
  const openTelemetry = telemetryOpener();
  const clustersOfRun = configuredClusters(experiment, configuration);
  const watched = Object.entries(clustersOfRun).map(async ([name, cluster]) => {
    const baseline = baselines?.[name];
    if (!baseline) throw new Error(`baselines: ${name} is required, nothing is watched without a steady state`);
    const impacted = experiment.faults
      .filter((fault) => fault.cluster === name)
      .flatMap((fault) => nodesHitAtStart(fault, targets.faults).map((node) => node.name));
    const open = () => openCluster(cluster, configuration);
    const rule = gateRule(name, cluster, experiment, entries);
    const gate = await openGate(rule, name, [...new Set(impacted)], open, systemClock);
    return { name, cluster, baseline, telemetry: openTelemetry(cluster), gate };
  });
  const clusters = await Promise.all(watched);
  const hasFisFaults = experiment.faults.some(({ kind }) => isFisFaultKind(kind));
  const { cascade } = configuration.killSwitch;
  const bystanders = cascade && watchBystanders(configuration, cascade, Object.keys(clustersOfRun), openTelemetry);
  await guard(
    { experimentId, clusters, hasFisFaults, ...(bystanders ? { bystanders } : {}) },
    {
      audit,
      leases,
      switches: killSwitches('beat'),
      heartbeat: guardHeartbeat(cloudWatchClient('heartbeat'), systemClock, stackName),
      publish: (readings, leaseAgeSeconds) => publishReadings(metrics, readings, leaseAgeSeconds),
      clock: systemClock,
      remainingMs: () => context.getRemainingTimeInMillis(),
    },
  );
}

/** @param own the clusters of the experiment */
function watchBystanders(
  { clusters }: Configuration,
  settings: NonNullable<KillSwitchSettings['cascade']>,
  own: readonly string[],
  openTelemetry: ReturnType<typeof telemetryOpener>,
): BystanderWatch {
  const others = Object.entries(clusters).filter(([name]) => !own.includes(name));
  const dependencies = { switches: killSwitches(), audit, clock: systemClock };
  return new BystanderWatch({
    settings,
    bystanders: others.map(([name, cluster]) => ({
      ...{ name, cluster },
      telemetry: openTelemetry(cluster),
    })),
    locks: locks(),
    engage: async (reason) => {
      const { recorded } = await engageSwitch({ reason, by: 'guard', actor: { function: 'guard' } }, dependencies);
      // Engaged all the same; the sweep looks whether it is on record.
      await withDeadline(recorded, systemClock).catch((error: unknown) =>
        log.error('kill switch not recorded', { reason, error: String(error) }),
      );
    },
    clock: systemClock,
  });
}
