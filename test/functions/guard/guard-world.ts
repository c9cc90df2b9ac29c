import { ErrorName, WorkflowError } from '../../../functions/domain/errors.ts';
import { type GuardDependencies, type GuardTask, guard } from '../../../functions/guard/guard.ts';
import type { Telemetry } from '../../../functions/telemetry/prometheus.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';
import { leaseOf } from '../tables/lease-fixture.ts';
import { memoryAuditLog } from '../tables/memory-audit-log.ts';
import { fakeTelemetry, WELL } from './fake-telemetry.ts';
import { baseline, cluster } from './fixtures.ts';

/** A world in memory that keeps the order of what the guard did to it. */
export function world(options: { injectAtMs?: number } = {}) {
  const clock = new SimulatedClock();
  const acts: string[] = [];
  const audit = memoryAuditLog({ onAppend: ({ type }) => acts.push(type) });
  const lease = leaseOf({ beat: 0 });
  const values = { ...WELL };
  const well = fakeTelemetry(values);
  const state: { killSwitch: boolean; remainingMs: number; failing?: string } = {
    killSwitch: false,
    remainingMs: 900_000,
  };
  const telemetry: Telemetry = {
    ...well,
    async read(source) {
      if (state.failing !== undefined && source.query.includes(state.failing)) throw new Error('connection refused');
      return well.read(source);
    },
  };
  const dependencies: GuardDependencies = {
    clock,
    remainingMs: () => state.remainingMs - clock.monotonicMs(),
    switches: { engaged: async () => (state.killSwitch ? { engaged: true } : undefined) },
    leases: {
      read: async () => lease,
      async renew() {
        if (lease.state !== 'HOLD') throw new WorkflowError(ErrorName.LeaseReleased, 'released');
        acts.push('beat');
        lease.beat += 1;
        if (options.injectAtMs !== undefined && clock.monotonicMs() >= options.injectAtMs) {
          lease.endsAt ??= new Date(clock.nowEpochMs() + 60_000).toISOString();
        }
        return { ...lease };
      },
      async release(_id, reason, detail) {
        acts.push(`release ${reason}`);
        Object.assign(lease, { state: 'RELEASED', releaseReason: reason, releaseDetail: detail });
        return true;
      },
    },
    audit,
  };
  const task: GuardTask = {
    experimentId: 'exp',
    clusters: [{ name: 'redis-master', cluster, baseline, telemetry }],
    hasFisFaults: false,
  };
  const run = () => guard(task, dependencies);
  return { clock, acts, audit, lease, values, state, telemetry, task, dependencies, run };
}
